"""Compare ballistic evidence: a file becomes a Surface, a Mark, a comparison, a report.

Every public name stands in ``__init__.pyi`` and is imported when it is first used, so that ``import ballistics`` costs
nothing.
"""

from __future__ import annotations

from typing import Any

import lazy_loader

_named, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("ballistics")
    return _named(name)
