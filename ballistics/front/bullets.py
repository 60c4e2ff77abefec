"""Two folders of land scans in, one comparison of two bullets out, with the lands that it was made of."""

from __future__ import annotations

import csv
import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ballistics.errors import CorruptFileError, ParameterError, ReadError
from ballistics.findings import Finding
from ballistics.front.weighing import Weighing
from ballistics.methods import Bullets, ScoredBullets, Striated, StriatedParameters, method_of, pair_score
from ballistics.progress import Progress, silent
from ballistics.provenance import sha256_of_array
from ballistics.reports import CaseLines, Evaluation, ReportedStriae, bullets_json, bullets_report
from ballistics.striations import (
    BulletComparison,
    Land,
    LandParameters,
    Signature,
    StriationComparison,
    compare_bullets,
    land_of,
    land_width_findings,
    striated_mark,
)
from ballistics.surfaces import Mark, Surface, files_in, read

KIND = "land engraved area"
# No barrel has more lands; a table that says so has a typing error.
_MOST_LANDS = 40
# Found of a single pair of lands by chance; of bullets there is a finding of their own.
_OF_ONE_PAIR = ("mark-turned", "mark-inverted", "mark-mirrored")


@dataclass(frozen=True, eq=False)
class LandFile:
    """One land of a bullet.

    Parameters
    ----------
    name : str
        Of the file, without its folder.
    surface : Surface or None
        As read; None when the file cannot be read.
    mark : Mark
        As prepared, insufficient with the reason where there is none.
    land : Land or None
        Every step to its signature.
    findings : tuple of Finding
        What its siblings say of it.
    """

    name: str
    surface: Surface | None
    mark: Mark
    land: Land | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, eq=False)
class BulletsComparison:
    """The comparison of two bullets from the files of their lands.

    Parameters
    ----------
    bullets : BulletComparison
        All lands against all, the best phase, its margin and its probability by chance.
    a, b : tuple of LandFile or None
        The lands in their order round the bullet; None for one that is missing.
    pairs : mapping of tuple of int to StriationComparison
        The pairs of the best phase, compared in full; positions from 0.
    parameters : StriatedParameters
    evaluation : Evaluation or None
        Its weight of evidence; None when it was not weighed (`weigh_bullets`).
    """

    bullets: BulletComparison
    a: tuple[LandFile | None, ...]
    b: tuple[LandFile | None, ...]
    pairs: Mapping[tuple[int, int], StriationComparison]
    parameters: StriatedParameters
    evaluation: Evaluation | None = None

    @property
    def scored(self) -> ScoredBullets:
        """The scores of the bullets with their method, as they are weighed.

        That a single pair of lands agrees better another way round is a matter of that pair; of bullets it counts when
        they do (``bullet-turned``).
        """
        kind, pairs = Bullets(), [pair_score(pair) for pair in self.pairs.values()]
        own = [f for pair in self.pairs.values() for f in pair.findings if f.code not in _OF_ONE_PAIR]
        provenance = kind.comparison(_lands_method().comparison(self.parameters))
        return ScoredBullets(kind.score(self.bullets, pairs), provenance, (*self.bullets.findings, *own))

    @property
    def insufficient(self) -> str | None:
        """Why no comparison can be stated; None when it can."""
        return self.bullets.insufficient

    @property
    def findings(self) -> tuple[tuple[str, Finding], ...]:
        """What was noticed, each with the land or the pair of lands concerned."""
        found = [(f"{letter}, {land.name}", f) for letter, lands in (("A", self.a), ("B", self.b))
                 for land in lands if land is not None for f in (*land.mark.findings, *land.findings)]  # fmt: skip
        for (i, j), comparison in sorted(self.pairs.items()):
            found += [(f"land {i + 1} of A and {j + 1} of B", f) for f in comparison.findings]
        return tuple(found)

    def page(self, case: CaseLines | None = None, names: tuple[str, str] = ("bullet A", "bullet B")) -> str:
        """Return the report as the text of one HTML file."""
        a, b = self._reported()
        return bullets_report(self.bullets, a, b, self.pairs, names=names, evaluation=self.evaluation, case=case)

    def json(self) -> bytes:
        """Return everything but the heights as the bytes of a JSON file."""
        a, b = self._reported()
        return bullets_json(self.bullets, a, b, self.pairs, evaluation=self.evaluation)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the heights as plain values, as ``--json`` writes them."""
        document: dict[str, Any] = json.loads(self.json())
        return document

    def _reported(self) -> tuple[list[ReportedStriae | None], list[ReportedStriae | None]]:
        method = _lands_method()
        reported = [
            [
                None
                if land is None
                else ReportedStriae(
                    land.name,
                    method.signature(land.mark, self.parameters),
                    land.surface,
                    land.land,
                    land.mark,
                    land.findings,
                )
                for land in lands
            ]
            for lands in (self.a, self.b)
        ]
        return reported[0], reported[1]

    def __repr__(self) -> str:
        if self.insufficient is not None:
            return f"<BulletsComparison: insufficient: {self.insufficient}>"
        found = self.bullets
        return (
            f"<BulletsComparison: {len(self.a)} and {len(self.b)} lands, phase {found.phase}, score {found.score:.0f} "
            f"nats, margin {found.margin:.0f}, probability by chance {found.probability:.2g}>"
        )


def compare_bullet_folders(
    a: str | os.PathLike[str],
    b: str | os.PathLike[str],
    *,
    lands: tuple[str | os.PathLike[str] | None, str | os.PathLike[str] | None] = (None, None),
    units: Any = None,
    fragment: bool = False,
    settings: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> BulletsComparison:
    """Compare two bullets, each a folder with a scan of every land.

    Parameters
    ----------
    a, b : path
        Folders. Without a table the lands follow the names of the files, numbers by their value.
    lands : pair of path or None
        For each folder a table (CSV) with the columns ``scan`` and ``land``: the place of each land round the bullet,
        counted from 1. Places that no scan has are missing lands; files that the table does not name are left out.
    units : {"micrometres", "millimetres", "as written"}, optional
        For files whose numbers have another unit than they say.
    fragment : bool
        Whether the bullet with fewer lands is a fragment: neighbouring lands of a bullet that may have had as many.
    settings : mapping of str to str, optional
        Other parameters than the tested ones, by the names of ``--set``.
    progress : callable, optional
        Told after each land.

    Returns
    -------
    BulletsComparison
        A scan that cannot be read or shows no land is a land that is missing, with its reason; different numbers of
        lands are insufficient, unless a fragment is stated. Exchanging the bullets gives the same score.

    Raises
    ------
    ReadError, CorruptFileError
        When a folder or a table cannot be read.
    ParameterError
        For a folder without a scan, or a setting that is none.
    """
    method, tell = _lands_method(), progress or silent
    parameters = method.parameters(settings=settings)
    assert parameters is not None
    placed = [_placed(Path(folder), table) for folder, table in zip((a, b), lands, strict=True)]
    number = sum(path is not None for paths in placed for path in paths)
    done = 0
    sides: list[tuple[LandFile | None, ...]] = []
    for paths in placed:
        found: list[LandFile | None] = []
        for path in paths:
            found.append(None if path is None else _land_file(path, units, parameters))
            done += path is not None
            tell("preparing lands", done, number)
        sides.append(_with_widths(found))
    if fragment:
        most = max(map(len, sides))
        sides = [(*side, *[None] * (most - len(side))) for side in sides]
    tell("comparing all lands", 0, 1)
    # Sums depend on the order of their terms: the bullets are compared in one order, whichever is called A.
    exchanged = _hashes(sides[0]) > _hashes(sides[1])
    signatures = [[_signature(land, method, parameters) for land in side] for side in sides]
    first, second = signatures[::-1] if exchanged else signatures
    bullets = compare_bullets(first, second, parameters.comparison.similarity)
    if exchanged:
        bullets = _exchanged(bullets)
    n = len(sides[0])
    phase = [] if bullets.phase is None else [(i, (i + bullets.phase) % n) for i in range(n)]
    pairs = {
        (i, j): method.compare(x.mark, y.mark, parameters)
        for i, j in phase
        if (x := sides[0][i]) is not None and (y := sides[1][j]) is not None and math.isfinite(bullets.scores[i, j])
    }
    tell("comparing all lands", 1, 1)
    return BulletsComparison(bullets, sides[0], sides[1], pairs, parameters)


def weigh_bullets(result: BulletsComparison, weighing: Weighing) -> BulletsComparison:
    """Weigh a comparison of two bullets by the reference population of bullets that covers it.

    Parameters
    ----------
    result : BulletsComparison
        Of `compare_bullet_folders`.
    weighing : Weighing
        Of `weighing`: populations (`ballistics reference build --mark bullet`), calibre, instrument, ammunition.

    Returns
    -------
    BulletsComparison
        The same with its ``evaluation``: a bounded likelihood ratio, or the reason why there is none.
    """
    files = [land for side in (result.a, result.b) for land in side if land is not None and land.surface is not None]
    marks = [land.mark for land in files if land.mark.insufficient is None]
    surfaces = [land.surface for land in files if land.surface is not None]
    return replace(result, evaluation=weighing.evaluate(result.scored, marks, surfaces))


def _lands_method() -> Striated:
    method = method_of(KIND)
    assert isinstance(method, Striated)
    return method


def _signature(land: LandFile | None, method: Striated, parameters: StriatedParameters) -> Signature | None:
    return None if land is None or land.mark.insufficient is not None else method.signature(land.mark, parameters)


def _land_file(path: Path, units: Any, parameters: StriatedParameters) -> LandFile:
    try:
        surface = read(path, units=units)
    except ReadError as error:
        reason = f"the scan cannot be read: {error}"
        nothing = np.full((1, 1), np.nan, np.float32)
        return LandFile(path.name, None, Mark(KIND, nothing, 1.0, insufficient=reason))
    assert isinstance(parameters.preparation, LandParameters)
    land = land_of(surface, parameters.preparation)
    return LandFile(path.name, surface, striated_mark(surface, land), land)


def _with_widths(lands: Iterable[LandFile | None]) -> tuple[LandFile | None, ...]:
    """Return the lands with what their widths say of their shoulders."""
    found = list(lands)
    said = land_width_findings([None if f is None or f.mark.insufficient is not None else f.land for f in found])
    return tuple(
        None if f is None else LandFile(f.name, f.surface, f.mark, f.land, findings)
        for f, findings in zip(found, said, strict=True)
    )


def _hashes(lands: Iterable[LandFile | None]) -> list[str]:
    return ["" if land is None else sha256_of_array(land.mark.heights_um) for land in lands]


def _exchanged(bullets: BulletComparison) -> BulletComparison:
    """Return a comparison with the roles of A and B exchanged."""
    n = len(bullets.phase_means)
    return replace(
        bullets,
        scores=np.ascontiguousarray(bullets.scores.T),
        phase=None if bullets.phase is None else -bullets.phase % n,
        phase_means=bullets.phase_means[-np.arange(n) % n] if n else bullets.phase_means,
    )


def _placed(folder: Path, table: str | os.PathLike[str] | None) -> list[Path | None]:
    """Return the scans of one bullet by the place of their land, None where there is none."""
    if not folder.is_dir():
        raise ReadError(f"{folder} is no folder: give a folder with one scan of each land")
    if table is not None:
        return _by_table(folder, Path(table))
    files = sorted(files_in([folder]), key=lambda path: _by_numbers(path.relative_to(folder).as_posix()))
    found: list[Path | None] = [path for path in files if path.suffix.lower() != ".csv"]
    if not found:
        raise ParameterError(f"{folder} holds no scan")
    if len(found) > _MOST_LANDS:
        raise ParameterError(f"{folder} holds {len(found)} files, more than a bullet has lands: one folder, one bullet")
    return found


def _by_numbers(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts numbers in names by their value.

    Examples
    --------
    >>> sorted(["land 10", "land 9"], key=_by_numbers)
    ['land 9', 'land 10']
    """
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _by_table(folder: Path, table: Path) -> list[Path | None]:
    try:
        with open(table, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            names = reader.fieldnames or []
            for name in ("scan", "land"):
                if name not in names:
                    raise CorruptFileError(f"{table}: no column '{name}'; there are: {', '.join(names) or 'none'}")
            rows = [(reader.line_num, (row["scan"] or "").strip(), (row["land"] or "").strip()) for row in reader]
    except OSError as error:
        raise ReadError(f"{table} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise CorruptFileError(f"{table} is not a UTF-8 table with commas: {error}") from error
    places: dict[int, Path] = {}
    for line, scan, land in rows:
        if not (folder / scan).is_file():
            continue  # one table may name the lands of several bullets
        if not land.isdecimal() or not 1 <= int(land) <= _MOST_LANDS:
            raise CorruptFileError(f"{table}, line {line}: the land is {land!r}; give its place, from 1")
        if int(land) in places:
            raise CorruptFileError(f"{table}, line {line}: land {land} is named a second time for {folder}")
        places[int(land)] = folder / scan
    if not places:
        raise ParameterError(f"{table} names no scan of {folder}")
    return [places.get(place) for place in range(1, max(places) + 1)]
