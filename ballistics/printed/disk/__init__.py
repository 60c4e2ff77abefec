"""A seized disk searched in a collection: one row for each hit of each file."""
