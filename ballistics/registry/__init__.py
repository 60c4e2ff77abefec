"""Firearms and what happened to them: a registry that is imported, searched, and answers for each of its rows."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
