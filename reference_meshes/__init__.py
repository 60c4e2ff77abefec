"""A small collection of harmless solids, as signatures, with files to try it on: nothing here is a firearm design."""
