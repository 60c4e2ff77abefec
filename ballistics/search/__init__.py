"""Search: templates, the library that holds them, ranking, all-pairs batches."""
