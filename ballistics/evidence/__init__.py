"""Scores become likelihood ratios with bounds; metrics; validation studies."""
