"""The signed log of a laboratory: an append-only chain of entries, the keys that sign them, receipts, verification."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
