"""Profiles of striated marks: correlation and comparison."""
