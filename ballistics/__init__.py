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
    from ballistics.findings import Finding as Finding
    from ballistics.impressions.comparing import compare as compare
    from ballistics.impressions.comparison import ImpressionComparison as ImpressionComparison
    from ballistics.impressions.heads import HeadComparison as HeadComparison
    from ballistics.impressions.heads import compare_heads as compare_heads
    from ballistics.library.items import Description as Description
    from ballistics.provenance import Provenance as Provenance
    from ballistics.search.library import Library as Library
    from ballistics.surfaces.formats.reading import read as read
    from ballistics.surfaces.formats.x3p.writer import write_x3p as write_x3p
    from ballistics.surfaces.inspection import inspect as inspect
    from ballistics.surfaces.pose import Pose as Pose
    from ballistics.surfaces.preparation.preparing import prepare as prepare
    from ballistics.surfaces.preparation.preparing import replay as replay
    from ballistics.surfaces.simulation.heads import simulate_head as simulate_head
    from ballistics.surfaces.simulation.heads import simulate_population as simulate_population
    from ballistics.surfaces.surface import Mark as Mark
    from ballistics.surfaces.surface import Step as Step
    from ballistics.surfaces.surface import Surface as Surface

# Public name -> the module that holds it. One line here and one above make a name public.
_WHERE = {
    "BallisticsError": "ballistics.errors",
    "Description": "ballistics.library.items",
    "Finding": "ballistics.surfaces.surface",
    "HeadComparison": "ballistics.impressions.heads",
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
    "compare": "ballistics.impressions.comparing",
    "compare_heads": "ballistics.impressions.heads",
    "inspect": "ballistics.surfaces.inspection",
    "prepare": "ballistics.surfaces.preparation.preparing",
    "read": "ballistics.surfaces.formats.reading",
    "replay": "ballistics.surfaces.preparation.preparing",
    "simulate_head": "ballistics.surfaces.simulation.heads",
    "simulate_population": "ballistics.surfaces.simulation.heads",
    "write_x3p": "ballistics.surfaces.formats.x3p.writer",
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
