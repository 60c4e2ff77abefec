"""The database of a laboratory: its door, the servers that the user named, and the revisions of its tables."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
