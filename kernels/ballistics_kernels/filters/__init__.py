"""Filters, coarser maps and interpolation on grids with missing points."""
