"""The one registry: kind of mark -> how it is prepared, compared and scored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ballistics.comparison import Comparison, PairScore
from ballistics.errors import ParameterError
from ballistics.methods.bullets import BULLET, Bullets
from ballistics.methods.impressed import Impressed
from ballistics.methods.method import Method, Region
from ballistics.methods.striated import Striated
from ballistics.surfaces import Mark, Surface

#: Every kind of mark, in the order of `ballistics.surfaces.MARK_TYPES`.
METHODS: Mapping[str, Method] = {
    "breech face": Impressed("breech face"),
    "firing pin": Impressed("firing pin"),
    "ejector": Impressed("ejector"),
    "aperture shear": Striated("aperture shear"),
    "firing-pin drag": Striated("firing-pin drag"),
    "chamber": Striated("chamber"),
    "land engraved area": Striated("land engraved area"),
    "tool mark": Striated("tool mark"),
}


def mark_kinds() -> tuple[str, ...]:
    """Return the kinds of marks there are methods for.

    Examples
    --------
    >>> mark_kinds()[:3]
    ('breech face', 'firing pin', 'ejector')
    """
    return tuple(METHODS)


def method_of(kind: str) -> Method:
    """Return the method of a kind of mark.

    Raises
    ------
    ParameterError
        When the kind is not known.

    Examples
    --------
    >>> method_of("breech face").family, method_of("land engraved area").family
    ('impressed', 'striated')
    """
    if kind not in METHODS:
        raise ParameterError(f"mark type {kind!r} is not known; choose one of {', '.join(METHODS)}")
    return METHODS[kind]


_BULLETS = Bullets()


def scored_as(kind: str) -> Method | Bullets:
    """Return how a kind of mark, or whole bullets, are scored.

    Raises
    ------
    ParameterError
        When the kind is not known.

    Examples
    --------
    >>> scored_as("bullet").score_names["similarity"], scored_as("breech face").family
    ('similarity of the bullets (nats)', 'impressed')
    """
    return _BULLETS if kind == BULLET else method_of(kind)


def prepare(surface: Surface, mark: str = "breech face", region: Region | None = None, parameters: Any = None) -> Mark:
    """Prepare the mark of a surface, as its kind asks for.

    Parameters
    ----------
    surface : Surface
        As read.
    mark : str
        Kind of mark, one of `METHODS`.
    region : GivenRegion, or ndarray of bool, or str, or int, optional
        Where the mark is; see `ballistics.surfaces.prepare`.
    parameters : optional
        Of `Method.parameters`.

    Returns
    -------
    Mark
        Insufficient, with the reason, where the scan shows no such mark.

    Raises
    ------
    ParameterError
        For a kind that is not known, a region that does not fit, or when a region must be given and was not.
    """
    return method_of(mark).prepare(surface, region, parameters)


def compare(a: Mark, b: Mark, parameters: Any = None) -> Any:
    """Compare two marks, as their kind asks for.

    Parameters
    ----------
    a, b : Mark
        Prepared marks of one kind.
    parameters : optional
        Of `Method.parameters`; the usual ones by default.

    Returns
    -------
    Comparison
        An `ImpressionComparison` or a `StriationComparison`; insufficient, with the reason, when the marks cannot be
        compared.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> land = Mark("land engraved area", np.repeat(rng.normal(size=(1, 900)), 40, axis=0).astype(np.float32), 1.5625)
    >>> found = compare(land, land)
    >>> found.insufficient is None and pair_score(found).similarity > 100
    True
    """
    return method_of(a.kind).compare(a, b, parameters)


def pair_score(comparison: Comparison) -> PairScore:
    """Return the scores of a comparison; an insufficient one has none, and says why.

    Raises
    ------
    ParameterError
        When the comparison lacks what its scores stand on.

    Examples
    --------
    >>> from ballistics.impressions import ImpressionComparison
    >>> pair_score(ImpressionComparison("breech face", insufficient="no overlap")).insufficient
    'no overlap'
    """
    return scored_as(comparison.mark_kind).scores(comparison)
