"""Compiled array code."""
