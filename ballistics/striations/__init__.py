"""Two striated marks become a StriationComparison: signatures, their scores, and bullets made of lands."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
