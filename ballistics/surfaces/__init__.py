"""A file becomes a Surface, a Surface becomes a Mark: readers, writers, preparation, simulation."""
