"""The pairs of a validation study that a reader should look at: worst ones and withheld ones, with pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ballistics.evidence import Score
from ballistics.reports.contents.study_contents import score_names
from ballistics.reports.figures.pair_pictures import pair_pictures
from ballistics.reports.figures.pictures import Picture
from ballistics.reports.wording.study import nouns, number
from ballistics.studies import MOST, RankedPair, ScannedPair, ScanStudy, worst_pairs


@dataclass(frozen=True)
class PairCard:
    """One pair, as a page shows it.

    Parameters
    ----------
    scans, firearms : tuple of str
        Names of the two scans and of their firearms.
    source : str
        What a firearm is called: of lands a land, of bullets a barrel.
    ranks : str
        Why it is shown: its rank among the worst pairs, by each score; or the finding that withholds it.
    scores : tuple of tuples of str
        Name of the score, its value, its log10 LR.
    findings : str
        What the comparison found; empty when nothing.
    pictures : tuple of Picture, or None
        A, and B as it lies on A; None when the marks were not registered.
    """

    scans: tuple[str, str]
    firearms: tuple[str, str]
    source: str
    ranks: str
    scores: tuple[tuple[str, str, str], ...]
    findings: str
    pictures: tuple[Picture, Picture] | None

    @property
    def made_by(self) -> str:
        """Which firearm or firearms."""
        a, b = self.firearms
        return f"{self.source} {a}" if a == b else f"{self.source}s {a} and {b}"


def worst_cards(study: ScanStudy, same_source: bool, scores: Iterable[Score] | None = None) -> tuple[PairCard, ...]:
    """Return the worst pairs of one kind by every score, each once: at most `MOST` by each score.

    Parameters
    ----------
    study : ScanStudy
    same_source : bool
        Lowest same-source pairs, or highest different-source pairs.
    scores : iterable of Score, optional
        Only these scores; default: all.
    """
    chosen = set(study.studies if scores is None else scores)
    ranked: dict[tuple[int, int], list[RankedPair]] = {}
    for score, score_study in study.studies.items():
        if score in chosen:
            for found in worst_pairs(study.scored, score_study, score, same_source):
                ranked.setdefault((found.pair.a, found.pair.b), []).append(found)
    way, names = "lowest" if same_source else "highest", score_names(study)
    return _cards(
        study,
        [
            (own[0].pair, "; ".join(f"{names[entry.score]}: {_ordinal(entry.rank)} {way}" for entry in own))
            for own in ranked.values()
        ],
    )


def withheld_cards(study: ScanStudy) -> tuple[PairCard, ...]:
    """Return the first pairs for which casework states no LR, those of one firearm and little similarity first."""
    order = sorted(
        study.flagged.withheld, key=lambda flagged: (not flagged.same_source, flagged.pair.similarity or 0.0)
    )
    return _cards(study, [(flagged.pair, f"withheld: {', '.join(flagged.codes)}") for flagged in order[:MOST]])


def _cards(study: ScanStudy, chosen: Sequence[tuple[ScannedPair, str]]) -> tuple[PairCard, ...]:
    scans = study.scored.scans
    wanted = {frozenset((scans[pair.a].sha256, scans[pair.b].sha256)) for pair, _ in chosen}
    # Once through each table, which may have millions of rows.
    lrs: dict[tuple[Score, frozenset[str]], float] = {}
    for score, score_study in study.studies.items():
        table = score_study.population.table
        for row, key in enumerate(map(frozenset, zip(table.scan_a, table.scan_b, strict=True))):
            if key in wanted:
                lrs[score, key] = float(score_study.cross.log10_lr[row])
    return tuple(_card(study, pair, ranks, lrs) for pair, ranks in chosen)


def _card(
    study: ScanStudy, pair: ScannedPair, ranks: str, lrs: Mapping[tuple[Score, frozenset[str]], float]
) -> PairCard:
    scored = study.scored
    scans = scored.scans[pair.a], scored.scans[pair.b]
    pictures = None
    if pair.pose is not None:
        marks = scored.marks.load(scans[0].sha256), scored.marks.load(scans[1].sha256)
        pictures = pair_pictures(*marks, pair.pose)
    over = "" if pair.area_mm2 is None else f" over {pair.area_mm2:.2f} mm²"
    if pair.length_mm is not None:
        over = f" over {pair.length_mm:.2f} mm"
    values = {
        "similarity": "–" if pair.similarity is None else f"{pair.similarity:.0f} nats{over}",
        "count": "–" if pair.count is None else f"{pair.count} of {pair.cells}",
        "correlation": "–" if pair.accf is None else f"{pair.accf:.3f}",
    }
    key = frozenset(scan.sha256 for scan in scans)
    return PairCard(
        (scans[0].truth.scan, scans[1].truth.scan),
        (scans[0].truth.firearm, scans[1].truth.firearm),
        nouns(scored.mark_kind).source,
        ranks,
        tuple((score_names(study)[score], values[score], number(lrs.get((score, key)), 2)) for score in study.studies),
        ", ".join(pair.findings),
        pictures,
    )


def _ordinal(rank: int) -> str:
    return {1: "1st", 2: "2nd", 3: "3rd"}.get(rank, f"{rank}th")
