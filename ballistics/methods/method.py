"""What a method of one kind of mark answers: how marks are prepared, compared and scored."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ballistics.comparison import Comparison, PairScore, Score
from ballistics.provenance import Provenance
from ballistics.surfaces import GivenRegion, Mark, Surface, mark_type

Region = GivenRegion | NDArray[np.bool_] | str | int
Family = Literal["impressed", "striated"]


@dataclass(frozen=True)
class Method(ABC):
    """How marks of one kind are prepared, compared and scored.

    Parameters
    ----------
    kind : str
        The kind of mark.
    family : {"impressed", "striated"}
        Whether its comparisons are of impressions or of striae: what a report shows depends on it.
    score_texts : mapping of str to str
        What each score is, the first first; it stands in the conditions of reference populations.
    score_names : mapping of str to str
        What tables and figures call each score.
    """

    kind: str
    family: Family
    score_texts: Mapping[Score, str]
    score_names: Mapping[Score, str]

    @abstractmethod
    def parameters(self, surface_kind: str = "topography", settings: Mapping[str, str] | None = None) -> Any:
        """Return the parameters of this kind, with some numbers changed; None when such surfaces are not compared."""

    @abstractmethod
    def preparation(self, parameters: Any = None) -> Provenance:
        """Return method, version and parameters of the preparation, without inputs."""

    @abstractmethod
    def prepare(self, surface: Surface, region: Region | None = None, parameters: Any = None) -> Mark:
        """Prepare the mark of a surface.

        Parameters
        ----------
        surface : Surface
            The scan.
        region : GivenRegion, ndarray of bool, str or int, optional
            Where the mark is: a mask of the surface's shape, or a label of the scan's own mask; found when None.
        parameters : object, optional
            From `parameters`; the usual ones when None.

        Returns
        -------
        Mark
            Insufficient, with the reason, where the scan does not show such a mark.
        """

    @abstractmethod
    def compare(self, a: Mark, b: Mark, parameters: Any = None) -> Comparison:
        """Compare two marks; exchanged marks give the same scores.

        Parameters
        ----------
        a, b : Mark
            Prepared by this method.
        parameters : object, optional
            From `parameters`; the usual ones when None.

        Returns
        -------
        Comparison
            Insufficient, with the reason, where the marks cannot be compared. Other parameters than the usual ones, and
            marks that were not prepared alike, are findings.
        """

    def comparison(self, parameters: Any = None) -> Provenance:
        """Return method, version and parameters of a comparison, without inputs."""
        nothing = nothing_of(self.kind)
        provenance = self.compare(nothing, nothing, parameters).provenance
        assert provenance is not None
        return replace(provenance, inputs={})

    @abstractmethod
    def scores(self, comparison: Any) -> PairScore:
        """Return the scores of a comparison; an insufficient one has none, and says why.

        Raises
        ------
        ParameterError
            When the comparison lacks what its scores stand on.
        """


def fewer(first: tuple[int, int], second: tuple[int, int]) -> tuple[int, int]:
    """Return the smaller of (congruent, searched) of two directions.

    More cells searched for the same count is the weaker finding, so a tie goes against common source.
    """
    return min((first, second), key=lambda direction: (direction[0], -direction[1]))


def nothing_of(kind: str, surface_kind: str = "topography") -> Mark:
    """Return a mark of a kind that shows nothing."""
    heights = np.full((1, 1), np.nan, np.float32)
    surface: Any = surface_kind
    return Mark(kind, heights, mark_type(kind).spacing_um, surface, insufficient="none")
