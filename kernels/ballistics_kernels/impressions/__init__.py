"""Correlation, registration and cells of two impressed marks."""
