"""Every number of a comparison that depends on the kind of mark, in one table with its sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from ballistics.findings import Finding
from ballistics.impressions.cells import CellParameters
from ballistics.impressions.congruence import RULES, Rule, Thresholds, smaller_count
from ballistics.impressions.contradiction import ContradictionParameters
from ballistics.impressions.firing_pin_rule import ClusterThresholds, clusters
from ballistics.impressions.mirrored import MirrorParameters
from ballistics.impressions.registration import RegistrationParameters
from ballistics.impressions.significance import SignificanceThresholds
from ballistics.impressions.similarity import SimilarityParameters
from ballistics.impressions.subclass import SubclassParameters
from ballistics.surfaces import Mark

MINIMUM_CELLS = 6
"""C = 6 congruent cells is the literature's criterion (Song 2013): with fewer cells no count can reach it."""


@dataclass(frozen=True)
class MarkParameters:
    """How marks of one kind are compared: the numbers that a caller may vary (`ballistics.impressions.settings`).

    Parameters
    ----------
    registration : RegistrationParameters
    similarity : SimilarityParameters
    cells : CellParameters
    rules : mapping of str to Rule
        The congruence rules that judge the cells, with thresholds and sources.
    sources : tuple of str
        Where the sizes come from.
    findings : tuple of Finding
        What a reader of any comparison of this kind must know.
    mirror : MirrorParameters
    regular_marks : SubclassParameters
    contradiction : ContradictionParameters
    minimum_cells : int
        With fewer filled cells the marks are insufficient.
    """

    registration: RegistrationParameters
    similarity: SimilarityParameters
    cells: CellParameters
    rules: Mapping[str, Rule]
    sources: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    mirror: MirrorParameters = field(default_factory=MirrorParameters)
    regular_marks: SubclassParameters = field(default_factory=SubclassParameters)
    contradiction: ContradictionParameters = field(default_factory=ContradictionParameters)
    minimum_cells: int = MINIMUM_CELLS


_BREECH_FACE = MarkParameters(
    RegistrationParameters(), SimilarityParameters(), CellParameters(), RULES, ("Song 2013, AFTE Journal 45(2):184",)
)


# A firing pin's or an ejector's mark is about a quarter as wide as a breech face (0.8 of 3.5 mm). At a quarter of every
# length the registration sees as many points across, turns it in as many steps, and looks at as many waves; on the
# wavelengths of breech faces too few fit into the mark to tell a pose.
_SMALL_MARK = 0.25


Parameters = TypeVar("Parameters", RegistrationParameters, SimilarityParameters, SignificanceThresholds)


def _scaled(standard: Parameters, factor: float) -> Parameters:
    """Return the parameters of breech faces with every length scaled."""

    def scaled(value: Any) -> Any:
        return tuple(factor * v for v in value) if isinstance(value, tuple) else factor * value

    lengths = [f.name for f in fields(standard) if f.name.endswith("_um")]
    return replace(standard, **{name: scaled(getattr(standard, name)) for name in lengths})


def _scaled_rules(cell_um: float, names: Iterable[str], correlation: float, source: str) -> dict[str, Rule]:
    """Scale the displacement thresholds of breech-face rules with the cell, and our rule with the octaves."""
    factor = cell_um / _BREECH_FACE.cells.cell_um
    ours = SignificanceThresholds()
    rules = {"significance": replace(RULES["significance"], thresholds=_scaled(ours, _SMALL_MARK))}
    for name in names:
        rule = RULES[name]
        assert isinstance(rule.thresholds, Thresholds)
        thresholds = Thresholds(factor * rule.thresholds.displacement_um, rule.thresholds.angle_deg, correlation)
        rules[name] = replace(rule, thresholds=thresholds, source=f"{rule.source}; {source}")
    return rules


# Zhang 2021: cells of 50 points of 1.5625 µm, in windows of 130 points, so 40 points to each side; correlation 0.45;
# Eps 25 points, MinPts 6. Angles as for breech faces: the global registration has searched the full circle, where Zhang
# sweeps it in steps of 15° with every cell. The turn of a cell within its cluster is limited as in Chu 2013; Zhang has
# no such limit.
_ZHANG = "Zhang et al. 2021, Journal of Forensic Sciences 66:571"
_PIN_CELL_UM = 50 * 1.5625
_PIN_CELLS = CellParameters(
    cell_um=_PIN_CELL_UM,
    search_radius_um=40 * 1.5625,
    coarse_spacing_um=6.25,
    widest_displacement_um=25 * 1.5625,
)
_FIRING_PIN = MarkParameters(
    _scaled(RegistrationParameters(), _SMALL_MARK),
    _scaled(SimilarityParameters(), _SMALL_MARK),
    _PIN_CELLS,
    {
        **_scaled_rules(
            _PIN_CELL_UM,
            ("original", "high", "convergence", "ncma"),
            0.45,
            f"displacement scaled to cells of 78 µm, correlation of {_ZHANG}",
        ),
        "clusters": Rule(
            ClusterThresholds(25 * 1.5625, 6.0, 0.45),
            "cells",
            _ZHANG,
            lambda a, b, t: smaller_count((clusters(a, t), clusters(b, t))),
        ),
    },
    (_ZHANG, "Ott, Thompson & Song 2017, Forensic Science International 271:98"),
)

# Song 2013 gives 80 to 160 µm for cells of firing-pin and ejector marks; an ejector's mark is about as large as a
# firing pin's and is kept to longer waves, so the larger size. No set of ejector marks with known sources is open.
_EJECTOR_CELL_UM = 100 * 1.5625
_EJECTOR = MarkParameters(
    _scaled(RegistrationParameters(), _SMALL_MARK),
    _scaled(SimilarityParameters(), _SMALL_MARK),
    CellParameters(
        cell_um=_EJECTOR_CELL_UM,
        search_radius_um=_EJECTOR_CELL_UM,
        coarse_spacing_um=12.5,
        widest_displacement_um=_EJECTOR_CELL_UM / 3,
    ),
    _scaled_rules(
        _EJECTOR_CELL_UM,
        ("original", "high", "convergence", "ncma"),
        0.45,
        "displacement scaled to cells of 156 µm, correlation of firing-pin impressions (Zhang 2021)",
    ),
    ("Song 2013, AFTE Journal 45(2):184",),
    (
        Finding(
            "unvalidated-parameters",
            "warning",
            "cell size and thresholds of ejector marks are carried over from other marks: no set of ejector marks with "
            "known sources was available to test them on",
            "compared; use the counts as a lead only",
        ),
    ),
)

MARK_PARAMETERS: Mapping[str, MarkParameters] = {
    "breech face": _BREECH_FACE,
    "firing pin": _FIRING_PIN,
    "ejector": _EJECTOR,
}

# Images: Tong 2014, cells of 100 × 100 pixels of 5 µm, 30 pixels, 3°, correlation 0.25; High-CMC: Tong 2015. Chen's
# convergence was published for topographies only; here it judges with Tong's thresholds.
_TONG_2014 = "Tong 2014, Journal of Research of NIST 119:575"
_TONG = Thresholds(150.0, 3.0, 0.25)
_OPTICAL_BREECH_FACE = MarkParameters(
    RegistrationParameters(),
    SimilarityParameters(),
    CellParameters(cell_um=500.0, search_radius_um=500.0, least_correlation=0.25, widest_displacement_um=150.0),
    {
        "significance": RULES["significance"],
        "original": replace(RULES["original"], thresholds=_TONG, source=_TONG_2014),
        "high": replace(RULES["high"], thresholds=Thresholds(125.0, 3.0, 0.25)),
        "convergence": replace(
            RULES["convergence"], thresholds=_TONG, source=f"{RULES['convergence'].source}; thresholds of {_TONG_2014}"
        ),
    },
    (_TONG_2014,),
    (
        Finding(
            "reflectance-compared",
            "note",
            "two images were compared, with thresholds of their own: their scores depend on the light and must not be "
            "held against scores of topographies",
            "compared as images",
        ),
    ),
)

OPTICAL_PARAMETERS: Mapping[str, MarkParameters] = {"breech face": _OPTICAL_BREECH_FACE}


def parameters_of(mark: Mark) -> MarkParameters | None:
    """Return how marks of this kind, from surfaces of this kind, are compared; None when they are not."""
    return (OPTICAL_PARAMETERS if mark.surface_kind == "reflectance" else MARK_PARAMETERS).get(mark.kind)


# Marks that are prepared like impressions but cannot be compared as such.
NOT_IMPRESSED = {
    "aperture shear": "aperture shear is a striated mark: its profiles are compared, not its cells",
}
