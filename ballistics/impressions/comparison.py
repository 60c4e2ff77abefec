"""What comes out when two impressed marks are compared: ImpressionComparison and its parts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ballistics.findings import Finding
from ballistics.frames import data_frame
from ballistics.impressions.similarity import Similarity
from ballistics.provenance import Provenance
from ballistics.surfaces import Pose

if TYPE_CHECKING:
    from pandas import DataFrame

# The rule whose count stands for all of them: in sentences, in tables, and in the evidence room.
HEADLINE_RULE = "significance"


@dataclass(frozen=True)
class LinePattern:
    """The lines that regular manufacturing marks follow over a whole mark.

    Parameters
    ----------
    form : {"parallel", "circular"}
        Straight lines, or circles about one centre (also arcs about a centre off the mark).
    lines_deg : float
        Direction of the lines at the middle of the cells, counter-clockwise from right as displayed, 0 to 180.
    centre_x_um, centre_y_um : float
        Centre of the circles from the centre of the mark's array, right and down; NaN for straight lines.
    share : float
        Part of all congruent cells' covariance that lies in the means along the lines, about 0 to 1.
    odds : float
        Odds of that share over those of a direction taken at random; about 1 to 2 for marks without lines.
    """

    form: Literal["parallel", "circular"]
    lines_deg: float
    centre_x_um: float
    centre_y_um: float
    share: float
    odds: float


@dataclass(frozen=True)
class RegularMarks:
    """How far regular manufacturing marks explain the agreement of congruent cells, in one direction.

    Arrays have one entry per cell of the direction's `CellSearch`.

    Parameters
    ----------
    patterns : tuple of LinePattern
        The lines that were found, at most two that cross; empty when the marks are not regular.
    shares : ndarray of float
        Part of the cell's covariance with the other mark that lies along the lines; NaN for cells that no rule calls
        congruent, or when there is no pattern.
    remaining : ndarray of float
        Correlation of the cell with the lines taken off both marks; NaN likewise.
    explained : ndarray of bool
        True where the agreement does not remain without the lines.
    """

    patterns: tuple[LinePattern, ...]
    shares: NDArray[np.float64]
    remaining: NDArray[np.float64]
    explained: NDArray[np.bool_]


@dataclass(frozen=True)
class CellSearch:
    """Where each cell of one mark was found on the other, and how well it agreed there.

    All arrays have one entry per cell; positions are counted from the centre of a mark's array. Displacements are
    those of the cell from the place where the
    global pose, with the cell's own angle about the centre of the searched mark, would lay it (Chen 2017);
    they are measured along the sides of the cells: across, to the cell's right, and down.

    Parameters
    ----------
    grid_theta_deg : float
        Turn of the grid against the axes of the tiled mark, counter-clockwise as displayed.
    rows, columns : ndarray of int
        Index of the cell in the grid.
    centres_x_um, centres_y_um : ndarray of float
        Centre of the cell from the centre of the tiled mark's array, right and down.
    valid_fractions : ndarray of float
        Share of the cell's points that are not missing.
    thetas_deg : ndarray of float
        Turn of the searched mark at which the cell agreed best, absolute (as `Pose.theta_deg`).
    xs_um, ys_um : ndarray of float
        Displacement at the best place.
    found_x_um, found_y_um : ndarray of float
        Where on the searched mark that is: the place of the cell's centre.
    correlations : ndarray of float
        Pearson correlation there, over points valid in both; NaN where no place was admissible.
    overlaps : ndarray of float
        Points valid in both there, as a share of the cell's valid points.
    regular : RegularMarks or None
        How far regular manufacturing marks explain the agreement; None before the rules have judged.
    """

    grid_theta_deg: float
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    centres_x_um: NDArray[np.float64]
    centres_y_um: NDArray[np.float64]
    valid_fractions: NDArray[np.float64]
    thetas_deg: NDArray[np.float64]
    xs_um: NDArray[np.float64]
    ys_um: NDArray[np.float64]
    found_x_um: NDArray[np.float64]
    found_y_um: NDArray[np.float64]
    correlations: NDArray[np.float64]
    overlaps: NDArray[np.float64]
    regular: RegularMarks | None = None

    @property
    def n_cells(self) -> int:
        """Number of cells with enough valid points to be searched."""
        return len(self.rows)

    def explained_count(self, verdict: DirectionVerdict) -> int:
        """Return how many cells that a rule calls congruent agree only by regular manufacturing marks."""
        return 0 if self.regular is None else int((verdict.congruent & self.regular.explained).sum())


@dataclass(frozen=True)
class DirectionVerdict:
    """Which cells one rule calls congruent, in one direction.

    Parameters
    ----------
    congruent : ndarray of bool
        One entry per cell of the direction's `CellSearch`.
    reference : Pose
        The common angle and displacement that the cells were held against (displacement as in `CellSearch`).
    thetas_deg, xs_um, ys_um, found_x_um, found_y_um, correlations : ndarray of float
        The registration of each cell that the rule judged; rules that restrict the angle judge
        another place than the cell's overall best.
    chances : ndarray of float or None
        How probable as good an agreement of each cell is by chance, of the rule that judges by it; None for the others.
    chance_level : float or None
        What that probability must not exceed.
    """

    congruent: NDArray[np.bool_]
    reference: Pose
    thetas_deg: NDArray[np.float64]
    xs_um: NDArray[np.float64]
    ys_um: NDArray[np.float64]
    found_x_um: NDArray[np.float64]
    found_y_um: NDArray[np.float64]
    correlations: NDArray[np.float64]
    chances: NDArray[np.float64] | None = None
    chance_level: float | None = None

    @property
    def count(self) -> int:
        """Number of congruent cells."""
        return int(self.congruent.sum())


@dataclass(frozen=True)
class RuleResult:
    """The verdict of one congruence rule in both directions.

    Parameters
    ----------
    rule : str
        Name of the rule, e.g. ``"significance"``.
    a_in_b, b_in_a : DirectionVerdict
        Cells of A searched in B, and cells of B searched in A.
    score : float
        The rule's count; the smaller of the two directions unless the rule's card says otherwise.
    parameters : mapping
        Thresholds, in µm and degrees.
    source : str
        DOI or citation of the rule.
    """

    rule: str
    a_in_b: DirectionVerdict
    b_in_a: DirectionVerdict
    score: float
    parameters: Mapping[str, Any]
    source: str


@dataclass(frozen=True)
class ImpressionComparison:
    """The comparison of two impressed marks, with everything an examiner needs to check it.

    Parameters
    ----------
    mark_kind : str
        The kind of both marks, e.g. ``"breech face"``.
    pose : Pose or None
        How B lies on A at the global optimum; None when the comparison is insufficient.
    accf : float
        Areal correlation of the whole marks at that pose (ACCF), −1 to 1.
    overlap_um2 : float
        Area valid in both marks at that pose.
    overlap_fraction : float
        The same as a share of the smaller mark's area.
    similarity : Similarity or None
        How alike the marks are at that pose, from all that they share.
    a_in_b, b_in_a : CellSearch or None
        The cell searches of the two directions.
    rules : mapping of str to RuleResult
        One result per congruence rule.
    insufficient : str or None
        Why no comparison can be stated; None when it can.
    findings : tuple of Finding
        What was noticed while comparing.
    provenance : Provenance or None
        Hashes of both marks, method, parameters, versions.
    """

    mark_kind: str
    pose: Pose | None = None
    accf: float = math.nan
    overlap_um2: float = 0.0
    overlap_fraction: float = 0.0
    similarity: Similarity | None = None
    a_in_b: CellSearch | None = None
    b_in_a: CellSearch | None = None
    rules: Mapping[str, RuleResult] = field(default_factory=dict)
    insufficient: str | None = None
    findings: tuple[Finding, ...] = ()
    provenance: Provenance | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return scores and pose as plain values; `ballistics compare --json` writes everything."""
        return {
            "mark_kind": self.mark_kind,
            "insufficient": self.insufficient,
            "similarity_nats": None if self.similarity is None else self.similarity.score,
            **{name: rule.score for name, rule in self.rules.items()},
            "accf": None if math.isnan(self.accf) else self.accf,
            "overlap_mm2": self.overlap_um2 / 1e6,
            "theta_deg": None if self.pose is None else self.pose.theta_deg,
            "dx_um": None if self.pose is None else self.pose.dx_um,
            "dy_um": None if self.pose is None else self.pose.dy_um,
            "findings": " ".join(finding.code for finding in self.findings),
        }

    def to_frame(self) -> DataFrame:
        """Return the same as a data frame of one row, to be put below others; needs the extra ``tables``."""
        return data_frame([self.to_dict()])

    def __repr__(self) -> str:
        if self.insufficient is not None:
            return f"<ImpressionComparison: {self.mark_kind}, insufficient: {self.insufficient}>"
        score = "none" if self.similarity is None else f"{self.similarity.score:.0f} nats"
        rule = self.rules.get(HEADLINE_RULE)
        count = "" if rule is None or self.a_in_b is None else f", {rule.score:.0f} of {self.a_in_b.n_cells} cells"
        return f"<ImpressionComparison: {self.mark_kind}, similarity {score}{count}, correlation {self.accf:.3f}>"
