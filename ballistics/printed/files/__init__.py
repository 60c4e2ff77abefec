"""Mesh files become parts: one reader for each format, chosen by the content."""
