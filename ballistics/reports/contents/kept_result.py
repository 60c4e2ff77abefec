"""The result of a comparison as a case keeps it: read from its file, held against the record that names it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ballistics.casework import CARTRIDGE_HEAD, ReportComparison
from ballistics.errors import CorruptFileError
from ballistics.evidence import Band, Bounds, LikelihoodRatio, Propositions, VerbalScale
from ballistics.files import parse_json
from ballistics.findings import Finding
from ballistics.methods import BULLET
from ballistics.surfaces import Pose, Step

_SCHEMAS = ("ballistics/comparison/1", "ballistics/striation/1")
_HEADS, _BULLETS = "ballistics/heads/1", "ballistics/bullets/1"
_SAME = 1e-9


@dataclass(frozen=True)
class KeptMark:
    """One side of a kept result.

    Parameters
    ----------
    file_sha256 : str
        Of the scan; empty where it is not stated.
    mark_sha256 : str
        Of the prepared heights; empty where it is not stated.
    steps : tuple of Step
        How the mark was prepared; empty for striated marks.
    """

    file_sha256: str
    mark_sha256: str
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class KeptResult:
    """What a report needs of the result of a comparison.

    Parameters
    ----------
    fault : str
        Why the file cannot be relied on: it is no result, or not that of the record; empty where it can.
    figures : tuple of (str, str)
        Key figures: name of the figure, and value with its unit.
    findings : tuple of Finding
        Of both scans, both marks, the comparison and the weighing, each once.
    insufficient : str
        Why no comparison was possible.
    pose : Pose or None
        How B lies on A.
    marks : tuple of KeptMark
        A and B; empty where there are none.
    weight : LikelihoodRatio or None
        The likelihood ratio or why there is none; None when nothing was weighed.
    scale : VerbalScale or None
        The verbal scale that it was stated with.
    population_sha256, model : str
        What it was weighed with.
    beside : int
        How many other scores were weighed beside it.
    versions : tuple of (str, str)
        Package and version, as of the comparison.
    parts : tuple of (str, KeptResult)
        Of two heads: kind of mark and its result; the weight of all together stands in ``together``.
    together : float or None
        log10 of the likelihood ratio of all parts.
    bounds : tuple of float, or None
        Of that.
    shown : tuple of int
        Which scans of the record, by their place, the picture is of.
    """

    fault: str = ""
    figures: tuple[tuple[str, str], ...] = ()
    findings: tuple[Finding, ...] = ()
    insufficient: str = ""
    pose: Pose | None = None
    marks: tuple[KeptMark, ...] = ()
    weight: LikelihoodRatio | None = None
    scale: VerbalScale | None = None
    population_sha256: str = ""
    model: str = ""
    beside: int = 0
    versions: tuple[tuple[str, str], ...] = ()
    parts: tuple[tuple[str, KeptResult], ...] = ()
    together: float | None = None
    bounds: tuple[float, float] | None = None
    shown: tuple[int, int] = (0, 1)


def kept_result(data: bytes, compared: ReportComparison) -> KeptResult:
    """Read a kept result.

    Parameters
    ----------
    data : bytes
        Of the file.
    compared : ReportComparison
        The record that names it: method, scans and likelihood ratio must be those of the file.

    Returns
    -------
    KeptResult
        With a fault and nothing else where the file is not the result of this comparison: what a report would state
        could not be checked by it.
    """
    record = compared.comparison.record
    where = f"the result of comparison '{record.id}'"
    try:
        document = parse_json(data, where, "the result of a comparison")
        schema = document.get("schema") if isinstance(document, dict) else None
        if schema == _HEADS and record.mark == CARTRIDGE_HEAD:
            return _heads(document, compared)
        if schema == _BULLETS and record.mark == BULLET:
            return _bullets(document, compared)
        if schema not in _SCHEMAS or len(compared.scans) != 2:
            return KeptResult("the kept file is not the result of a comparison of what the record names")
        found = _read(document)
        method = _method(document)
    except (CorruptFileError, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        return KeptResult(f"the kept file is not the result of a comparison: {type(error).__name__}")
    files = tuple(scan.scan.record.file for scan in compared.scans)
    if tuple(mark.file_sha256 for mark in found.marks) != files:
        return KeptResult("the kept file is the result of other scans than the record names")
    if method != (record.method, record.version):
        return KeptResult(f"the kept file states the method {method[0]} {method[1]}, the record another one")
    return _of_value(found, None if found.weight is None else found.weight.log10_lr, record.log10_lr)


def _of_value(found: KeptResult, value: float | None, recorded: float | None) -> KeptResult:
    """Return a result, or its fault where it states another likelihood ratio than the record."""
    if (value is None) != (recorded is None) or abs((value or 0.0) - (recorded or 0.0)) > _SAME:
        return KeptResult("the kept file states another likelihood ratio than the record")
    return found


def _method(document: Mapping[str, Any]) -> tuple[str, str]:
    made = document["comparison"]["provenance"]
    return str(made["method"]), str(made["version"])


def _heads(document: Mapping[str, Any], compared: ReportComparison) -> KeptResult:
    record = compared.comparison.record
    places = {
        (letter, scan.scan.record.mark): place + first
        for letter, own, first in zip("ab", compared.sides, (0, len(compared.sides[0])), strict=True)
        for place, scan in enumerate(own)
    }
    parts: list[tuple[str, KeptResult]] = []
    versions: dict[str, str] = {}
    methods: list[str] = []
    for kind, own in document["marks"].items():
        part = replace(_read(own), shown=(places["a", kind], places["b", kind]))
        if tuple(mark.file_sha256 for mark in part.marks) != tuple(
            compared.scans[place].scan.record.file for place in part.shown
        ):
            return KeptResult(f"the kept file is the result of other scans of the {kind} than the record names")
        parts.append((str(kind), part))
        versions.update(part.versions)
        methods.append(f"{kind} {_method(own)[1]}")
    if "; ".join(methods) != record.version or 2 * len(parts) != len(compared.scans):
        return KeptResult("the kept file states other methods or other marks than the record")
    joint: Any = document.get("joint")
    is_fused = joint is not None and joint["log10_lr"] is not None
    value = float(joint["log10_lr"]) if is_fused else None
    limits = joint["fusion"]["bounds"] if is_fused else None
    found = KeptResult(
        insufficient=record.insufficient,
        findings=tuple(dict.fromkeys(finding for _, part in parts for finding in part.findings)),
        versions=tuple(versions.items()),
        parts=tuple(parts),
        together=value,
        bounds=None if limits is None else (float(limits["lower"]), float(limits["upper"])),
        shown=parts[0][1].shown,
    )
    return _of_value(found, value, record.log10_lr)


def _bullets(document: Mapping[str, Any], compared: ReportComparison) -> KeptResult:
    record, comparison, evaluation = compared.comparison.record, document["comparison"], document["evaluation"]
    sides = [[land for land in document["bullets"][letter] if land is not None] for letter in "ab"]
    for lands, scans in zip(sides, compared.sides, strict=True):
        # A scan that could not be read has no hash in the result.
        files = [(_mark(land).file_sha256 if land["surface"] else scan.scan.record.file)
                 for land, scan in zip(lands, scans, strict=True)]  # fmt: skip
        if files != [scan.scan.record.file for scan in scans]:
            return KeptResult("the kept file is the result of other scans than the record names")
    best = max(document["pairs"], key=_pair_score, default=None)
    places = [[k for k, land in enumerate(document["bullets"][letter]) if land is not None] for letter in "ab"]
    figures = [("Lands of A and B", f"{len(sides[0])}; {len(sides[1])}")]
    if comparison["insufficient"] is None and comparison["score"] is not None:
        figures.append(("Similarity", f"{float(comparison['score']):.1f} nats"))
        if comparison["margin"] is not None:
            figures.append(
                ("Lead of the best order of the lands over the next", f"{float(comparison['margin']):.1f} nats")
            )
        if comparison["probability"] is not None:
            figures.append(("Probability of such an order by chance", f"{float(comparison['probability']):.2g}"))
    found = KeptResult(
        figures=tuple(figures),
        insufficient=str(comparison["insufficient"] or ""),
        findings=_findings(
            *(land.get("surface") for lands in sides for land in lands),
            *(land for lands in sides for land in lands),
            *(pair["comparison"] for pair in document["pairs"]),
            evaluation,
        ),
        shown=(0, len(sides[0]))
        if best is None
        else (places[0].index(best["a"]), len(sides[0]) + places[1].index(best["b"])),
    )
    found = found if evaluation is None else _with_weight(found, evaluation)
    return _of_value(found, None if found.weight is None else found.weight.log10_lr, record.log10_lr)


def _pair_score(pair: Mapping[str, Any]) -> float:
    found = pair["comparison"]["similarity"]
    return -math.inf if found is None or found["score"] is None else float(found["score"])


def _read(document: Mapping[str, Any]) -> KeptResult:
    comparison, evaluation = document["comparison"], document["evaluation"]
    sides = document["scans"] if "scans" in document else document["marks"]
    found = KeptResult(
        figures=tuple(_figures(document)),
        insufficient=str(comparison["insufficient"] or ""),
        pose=_pose(comparison.get("pose")),
        marks=tuple(_mark(sides[letter]) for letter in "ab"),
        findings=_findings(
            *(sides[letter].get(part) for letter in "ab" for part in ("surface", "mark")),
            *(sides[letter] for letter in "ab"),
            comparison,
            evaluation,
        ),
        versions=tuple((str(k), str(v)) for k, v in comparison["provenance"].get("versions", {}).items()),
    )
    return found if evaluation is None else _with_weight(found, evaluation)


def _with_weight(found: KeptResult, evaluation: Mapping[str, Any]) -> KeptResult:
    return replace(
        found,
        weight=_weight(evaluation),
        scale=_scale(evaluation["verbal_scale"]),
        population_sha256=str(evaluation["population"]["sha256"]),
        model=str(evaluation["model"]),
        beside=len(evaluation["beside"]),
    )


def _figures(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    comparison, figures = document["comparison"], []
    similarity = comparison["similarity"]
    if similarity is not None and similarity["score"] is not None:
        figures.append(("Similarity", f"{float(similarity['score']):.1f} nats"))
    if document["schema"] == _SCHEMAS[0]:
        rule, cells = comparison["rules"].get("significance"), comparison["cells"]
        if rule is not None and rule["a_in_b"] is not None and rule["b_in_a"] is not None:
            counts = [f"{rule[way]['count']} / {len(cells[way])}" for way in ("a_in_b", "b_in_a")]
            figures.append(("Congruent cells, A in B and B in A", "; ".join(counts)))
        if comparison["accf"] is not None:
            figures.append(("Correlation of the whole marks", f"{float(comparison['accf']):.3f}"))
        if comparison["overlap_um2"]:
            figures.append(("Common area", f"{float(comparison['overlap_um2']) / 1e6:.2f} mm²"))
        return figures
    correlation = comparison["correlation"]
    segments = [comparison["cmps"][way] for way in ("a_in_b", "b_in_a")]
    if all(each is not None for each in segments):
        shown = [f"{each['count']} / {each['segments']}" for each in segments]
        figures.append(("Congruent segments, A in B and B in A", "; ".join(shown)))
    if correlation is not None and correlation["correlation"] is not None:
        figures.append(("Correlation of the whole marks", f"{float(correlation['correlation']):.3f}"))
    if correlation is not None and correlation["overlap_um"]:
        figures.append(("Common length", f"{float(correlation['overlap_um']) / 1000:.2f} mm"))
    return figures


def _pose(stated: Any) -> Pose | None:
    if stated is None or any(stated[name] is None for name in ("theta_deg", "dx_um", "dy_um")):
        return None
    return Pose(float(stated["theta_deg"]), float(stated["dx_um"]), float(stated["dy_um"]))


def _mark(side: Mapping[str, Any]) -> KeptMark:
    made = (side["surface"] or {}).get("provenance") or {}
    inputs = made.get("inputs") or {}
    mark = side.get("mark") or {}
    steps = tuple(Step(step["name"], _tuples(step["parameters"])) for step in mark.get("steps") or ())
    return KeptMark(str(inputs.get("file", "")), str(mark.get("sha256") or ""), steps)


def _tuples(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in parameters.items()}


def _findings(*holders: Any) -> tuple[Finding, ...]:
    found = [
        Finding(str(each["code"]), each["severity"], str(each["message"]), str(each["action"]))
        for holder in holders
        if holder is not None
        for each in holder.get("findings") or ()
    ]
    return tuple(dict.fromkeys(found))


def _weight(stated: Mapping[str, Any]) -> LikelihoodRatio:
    value, interval, bounds = stated["log10_lr"], stated["interval_log10_lr"], stated["bounds"]
    population, score = stated["population"], stated["score"]
    if stated["status"] not in ("evaluated", "insufficient", "outside range", "refused"):
        raise ValueError(stated["status"])
    if (value is None) == (stated["status"] == "evaluated") or (value is not None and not math.isfinite(value)):
        raise ValueError("log10_lr")
    return LikelihoodRatio(
        stated["status"],
        str(population["name"]),
        int(population["same_source_pairs"]),
        int(population["different_source_pairs"]),
        int(population["firearms"]),
        Propositions(str(stated["propositions"]["same_source"]), str(stated["propositions"]["different_source"])),
        None if value is None else float(value),
        None if interval is None else (float(interval[0]), float(interval[1])),
        stated["bound"],
        None if bounds is None else Bounds(*(bounds[name] for name in ("lower", "upper", "rule", "reference"))),
        str(stated["reason"]),
        tuple(map(str, stated["cautions"])),
        None if score["value"] is None else float(score["value"]),
    )


def _scale(stated: Mapping[str, Any]) -> VerbalScale:
    """Return the scale of a result: the standard one, or what the result keeps of a laboratory's own."""
    standard = VerbalScale.load()
    if (stated["name"], stated["version"]) == (standard.name, standard.version):
        return standard
    words = (Band(0.0, str(stated["words"])),) if stated["words"] else standard.bands
    return VerbalScale(str(stated["name"]), str(stated["version"]), str(stated["source"]), words)
