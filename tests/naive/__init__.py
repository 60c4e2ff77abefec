"""Plain twins of every kernel, by room: the same definition, loop for loop, with no regard for speed."""
