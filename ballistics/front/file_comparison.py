"""Two files in, one comparison out, with the scans and marks that it was made of."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ballistics.comparison import PairScore
from ballistics.drawing import figure_html, new_axes
from ballistics.errors import BallisticsError, ParameterError
from ballistics.findings import Finding
from ballistics.frames import data_frame
from ballistics.impressions import ImpressionComparison
from ballistics.methods import Striated, method_of, pair_score
from ballistics.progress import Progress, silent
from ballistics.reports import (
    CaseLines,
    Evaluation,
    ReportedScan,
    ReportedStriae,
    aligned_heights,
    comparison_json,
    comparison_report,
    microscope,
    reported_scan,
    striation_json,
    striation_report,
    unit_of,
)
from ballistics.striations import LandParameters, StriationComparison, land_of, overlay
from ballistics.surfaces import Mark, ScanReading, Surface, Units, instrument_of, read, stated_by_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

Heights = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class FileComparison:
    """The comparison of the marks in two files.

    Parameters
    ----------
    comparison : ImpressionComparison or StriationComparison
        The result, with everything an examiner needs to check it.
    scans : tuple of ReportedScan
        A and B: name of the file, surface as read, mark as prepared.
    parameters : optional
        Of `ballistics.methods.Method.parameters`; None for the usual ones.
    evaluation : Evaluation, optional
        Its weight of evidence, from `weigh`.
    """

    comparison: ImpressionComparison | StriationComparison
    scans: tuple[ReportedScan, ReportedScan]
    parameters: Any = None
    evaluation: Evaluation | None = None

    @property
    def surfaces(self) -> tuple[Surface, Surface]:
        """Both scans, as read."""
        return self.scans[0].surface, self.scans[1].surface

    @property
    def marks(self) -> tuple[Mark, Mark]:
        """Both marks, as prepared."""
        return self.scans[0].mark, self.scans[1].mark

    @property
    def mark_kind(self) -> str:
        """The kind of both marks."""
        return self.comparison.mark_kind

    @property
    def insufficient(self) -> str | None:
        """Why no comparison can be stated; None when it can."""
        return self.comparison.insufficient

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was noticed of the files, the marks and the comparison, each once."""
        of_scans = (finding for scan in self.scans for finding in scan.findings)
        return tuple(dict.fromkeys((*of_scans, *self.comparison.findings)))

    @property
    def scores(self) -> PairScore:
        """The scores; an insufficient comparison has none, and says why."""
        return pair_score(self.comparison)

    @property
    def similarity(self) -> float | None:
        """The score that carries the evidence, in nats; None when insufficient."""
        return self.scores.similarity

    def aligned(self) -> tuple[Heights, Heights]:
        """Return the heights of both marks on one grid, B registered to A.

        Returns
        -------
        a, b : ndarray
            Of one shape, in µm, NaN where a mark has no point: two-dimensional for impressions, with the spacing of the
            marks; the signatures of striated marks are one-dimensional.

        Raises
        ------
        ParameterError
            When the marks could not be registered.
        """
        a, b = self.marks
        if isinstance(self.comparison, StriationComparison):
            if self.comparison.placement is None:
                raise ParameterError(f"the marks are not aligned: {self.insufficient}")
            signatures = [self._striated.signature(mark, self.parameters) for mark in (a, b)]
            found = overlay(signatures[0], signatures[1], self.comparison.placement)
            return found.a_um, found.b_um
        if self.comparison.pose is None:
            raise ParameterError(f"the marks are not registered: {self.insufficient}")
        return aligned_heights(a, b, self.comparison.pose)[:2]

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw the comparison microscope: A to the left of the seam, B to the right, in one light.

        Of striated marks the two signatures are drawn, one over the other.

        Parameters
        ----------
        axes : matplotlib Axes, optional
            Where to draw; a figure of its own if None.
        """
        axes = axes or new_axes()
        a, b = self.aligned()
        spacing_um = max(mark.spacing_um for mark in self.marks)
        if a.ndim == 2:
            microscope(a, b, spacing_um, axes)
        else:
            places = spacing_um * np.arange(len(a))
            axes.plot(places, a, linewidth=0.9, label="A")
            axes.plot(places, b, linewidth=0.9, label="B")
            axes.set(xlabel="across the striae / µm", ylabel="height / µm")
            axes.legend(loc="upper right")
        axes.set_title(f"A: {self.scans[0].name}   B: {self.scans[1].name}", fontsize="small")
        return axes

    def page(self, case: CaseLines | None = None) -> str:
        """Return the report as the text of one HTML file, with the lines of a case at its head."""
        if isinstance(self.comparison, StriationComparison):
            a, b = map(self._striae, self.scans)
            return striation_report(self.comparison, a, b, evaluation=self.evaluation, case=case)
        # What was excluded is drawn only in the report.
        first, second = (reported_scan(scan.name, scan.surface, scan.mark) for scan in self.scans)
        return comparison_report(self.comparison, first, second, evaluation=self.evaluation, case=case)

    def json(self) -> bytes:
        """Return everything but the heights as the bytes of a JSON file."""
        if isinstance(self.comparison, StriationComparison):
            a, b = map(self._striae, self.scans)
            return striation_json(self.comparison, a, b, evaluation=self.evaluation)
        return comparison_json(self.comparison, *self.scans, evaluation=self.evaluation)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the heights as plain values, as ``--json`` writes them."""
        document: dict[str, Any] = json.loads(self.json())
        return document

    @property
    def _striated(self) -> Striated:
        method = method_of(self.mark_kind)
        assert isinstance(method, Striated)
        return method

    def _striae(self, scan: ReportedScan) -> ReportedStriae:
        """Return one side as the reports of striae show it: of a land with every step, found once more."""
        signature = self._striated.signature(scan.mark, self.parameters)
        used = self.parameters or self._striated.parameters(scan.mark.surface_kind)
        given = any(finding.code == "region-given" for finding in scan.mark.findings)
        land = None
        if used is not None and isinstance(used.preparation, LandParameters) and not given:
            land = land_of(scan.surface, used.preparation)
        own = tuple(finding for finding in scan.mark.findings if finding not in signature.findings)
        return ReportedStriae(scan.name, signature, scan.surface, land, scan.mark, own)

    def rows(self) -> list[dict[str, Any]]:
        """Return one row for each score: its name, value and unit, and how many cells or segments it was out of."""
        found = self.scores
        if found.insufficient is not None:
            return []
        texts = method_of(self.mark_kind).score_texts
        rows: list[dict[str, Any]] = [
            {"score": "similarity", "value": found.similarity, "unit": "nats", "of": None, "what": texts["similarity"]}
        ]
        if isinstance(self.comparison, ImpressionComparison):
            for name, rule in self.comparison.rules.items():
                row = {
                    "score": name,
                    "value": rule.score,
                    "unit": unit_of(rule),
                    "of": found.cells,
                    "what": rule.source,
                }
                rows.append(row)
        else:
            what = texts["count"]
            rows.append({"score": "count", "value": found.count, "unit": "segments", "of": found.cells, "what": what})
        what = texts["correlation"]
        rows.append({"score": "correlation", "value": found.accf, "unit": "", "of": None, "what": what})
        return rows

    def to_frame(self) -> DataFrame:
        """Return one row for each score as a data frame; needs the extra ``tables``."""
        return data_frame(self.rows())

    def __repr__(self) -> str:
        names = f"{self.scans[0].name} and {self.scans[1].name}"
        if self.insufficient is not None:
            return f"<FileComparison: {self.mark_kind}, {names}, insufficient: {self.insufficient}>"
        found = self.scores
        parts = "cells" if isinstance(self.comparison, ImpressionComparison) else "segments"
        serious = sum(finding.severity == "serious" for finding in self.findings)
        said = f", {serious} serious findings" if serious else ""
        return (
            f"<FileComparison: {self.mark_kind}, {names}, similarity {found.similarity:.0f} nats, "
            f"{found.count} of {found.cells} {parts}, correlation {found.accf:.3f}{said}>"
        )

    def _repr_html_(self) -> str:
        return figure_html(repr(self), self.plot if self.insufficient is None else self.scans[0].mark.plot)


def compare_files(
    a: str | os.PathLike[str],
    b: str | os.PathLike[str],
    mark: str = "breech face",
    *,
    units: Units | tuple[Units | None, Units | None] | None = None,
    spacing_um: float | tuple[float | None, float | None] | None = None,
    region: str | tuple[str, str] = "",
    instrument: str | Iterable[str] = (),
    settings: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> FileComparison:
    """Read two scans, prepare their marks, and compare them.

    Where a parameter may differ between A and B, a pair gives one value for each.

    Parameters
    ----------
    a, b : path
        Two scans.
    mark : str
        Kind of mark on both, e.g. ``"breech face"``, ``"land engraved area"``.
    units : {"micrometres", "millimetres", "as written"}, or a pair of these, optional
        For files whose numbers have another unit than they say; recorded as a serious finding.
    spacing_um : float, or a pair, optional
        Pixel size in µm of 2D images.
    region : str, or a pair
        Where the mark is: a mask image, a polygon, or a label of the mask in the file; empty where it is found.
    instrument : str, or iterable of str
        Class of the instrument as the laboratory states it; a file that says otherwise gets a finding.
    settings : mapping of str to str, optional
        Other parameters than the tested ones, by the names of ``--set``.
    progress : callable, optional
        Told of each stage.

    Returns
    -------
    FileComparison

    Raises
    ------
    ReadError
        When a file cannot be read.
    ParameterError
        For a kind of mark that is not known, a region that does not fit, or a setting outside its range.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> from ballistics.surfaces import simulate_population, write_x3p
    >>> paths = [Path(mkdtemp()) / "case.x3p" for _ in range(2)]
    >>> for path, head in zip(paths, simulate_population(1, 2, 3, breech_faces=["granular"])):
    ...     _ = write_x3p(path, head.surface)
    >>> found = compare_files(*paths)
    >>> found.similarity > 300, found.aligned()[0].shape == found.aligned()[1].shape
    (True, True)
    """
    stated = (instrument,) if isinstance(instrument, str) else tuple(instrument)
    method, tell, paths = method_of(mark), progress or silent, (Path(a), Path(b))
    each = [_each(value) for value in (units, spacing_um, region)]
    scans: list[ReportedScan] = []
    parameters: Any = None
    for n, (letter, path) in enumerate(zip("ab", paths, strict=True)):
        tell("reading and preparing", n, 2)
        try:
            surface = read(path, units=each[0][n], spacing_um=each[1][n])
        except BallisticsError as error:
            error.scan = letter  # an interface that has an option for each scan names that option
            raise
        kind = "reflectance" if surface.kind == "reflectance" else "topography"
        parameters = method.parameters(kind, settings) if settings else None
        prepared = method.prepare(surface, ScanReading(region=each[2][n] or "").region_on(surface), parameters)
        contradiction = instrument_of(stated_by_file(surface), stated)[1]
        if contradiction is not None:
            prepared = replace(prepared, findings=(*prepared.findings, contradiction))
        scans.append(ReportedScan(path.name, surface, prepared))
    tell("reading and preparing", 2, 2)
    tell("comparing", 0, 1)
    comparison: Any = method.compare(scans[0].mark, scans[1].mark, parameters)
    tell("comparing", 1, 1)
    return FileComparison(comparison, (scans[0], scans[1]), parameters)


def _each(value: Any) -> tuple[Any, Any]:
    """Return a value for A and a value for B."""
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise ParameterError(f"{value!r} has {len(value)} values; give one for both scans, or a pair")
        return value[0], value[1]
    return value, value
