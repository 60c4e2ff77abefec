"""The one door for files: durable writing, locks, and bounded reading of JSON and arrays from outside."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
