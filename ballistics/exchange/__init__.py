"""Between jurisdictions: signed packages, requests, withdrawals, and what analysts take into their programs."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
