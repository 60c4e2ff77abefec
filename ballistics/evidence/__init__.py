"""Scores become likelihood ratios with bounds; metrics; validation studies."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
