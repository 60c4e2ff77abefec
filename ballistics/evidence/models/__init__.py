"""Probability models of scores, their bounds and their uncertainty."""
