"""Compare ballistic evidence: a file becomes a Surface, a Mark, a comparison, a report.

Every public name is imported when it is first used, so that ``import ballistics`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ballistics.errors import BallisticsError as BallisticsError
    from ballistics.errors import ParameterError as ParameterError
    from ballistics.errors import ReadError as ReadError
    from ballistics.errors import WriteError as WriteError
    from ballistics.impressions.compare import compare as compare
    from ballistics.impressions.compare_heads import HeadComparison as HeadComparison
    from ballistics.impressions.compare_heads import compare_heads as compare_heads
    from ballistics.impressions.comparison import ImpressionComparison as ImpressionComparison
    from ballistics.provenance import Provenance as Provenance
    from ballistics.search.library import Library as Library
    from ballistics.search.library_items import Description as Description
    from ballistics.surfaces.inspection import inspect as inspect
    from ballistics.surfaces.pose import Pose as Pose
    from ballistics.surfaces.preparation import prepare as prepare
    from ballistics.surfaces.preparation import replay as replay
    from ballistics.surfaces.reading import read as read
    from ballistics.surfaces.simulation import simulate_head as simulate_head
    from ballistics.surfaces.simulation import simulate_population as simulate_population
    from ballistics.surfaces.surface import Finding as Finding
    from ballistics.surfaces.surface import Mark as Mark
    from ballistics.surfaces.surface import Step as Step
    from ballistics.surfaces.surface import Surface as Surface
    from ballistics.surfaces.x3p_writer import write_x3p as write_x3p

# Public name -> the module that holds it. One line here and one above make a name public.
_WHERE = {
    "BallisticsError": "ballistics.errors",
    "Description": "ballistics.search.library_items",
    "Finding": "ballistics.surfaces.surface",
    "HeadComparison": "ballistics.impressions.compare_heads",
    "ImpressionComparison": "ballistics.impressions.comparison",
    "Library": "ballistics.search.library",
    "Mark": "ballistics.surfaces.surface",
    "ParameterError": "ballistics.errors",
    "Pose": "ballistics.surfaces.pose",
    "Provenance": "ballistics.provenance",
    "ReadError": "ballistics.errors",
    "Step": "ballistics.surfaces.surface",
    "Surface": "ballistics.surfaces.surface",
    "WriteError": "ballistics.errors",
    "compare": "ballistics.impressions.compare",
    "compare_heads": "ballistics.impressions.compare_heads",
    "inspect": "ballistics.surfaces.inspection",
    "prepare": "ballistics.surfaces.preparation",
    "read": "ballistics.surfaces.reading",
    "replay": "ballistics.surfaces.preparation",
    "simulate_head": "ballistics.surfaces.simulation",
    "simulate_population": "ballistics.surfaces.simulation",
    "write_x3p": "ballistics.surfaces.x3p_writer",
}

__all__ = list(_WHERE)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("ballistics")
    if name not in _WHERE:
        raise AttributeError(f"module 'ballistics' has no attribute {name!r}")
    value = getattr(importlib.import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_WHERE})
