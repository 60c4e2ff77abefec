"""A file becomes a Surface, a Surface becomes a Mark: readers, writers, preparation, simulation."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
