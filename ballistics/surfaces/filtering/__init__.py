"""Arithmetic on grids with missing points: filters, levelling, resampling, spikes."""
