"""Simulated and disturbed surfaces with exact ground truth."""
