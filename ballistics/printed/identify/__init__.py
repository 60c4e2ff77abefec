"""Which reference a questioned part is, or is a piece of."""
