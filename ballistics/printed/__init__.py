"""Meshes and printed parts: reading, recognising, comparing."""
