"""The result of a comparison as a case keeps it: read from its file, held against the record that names it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ballistics.casework import ReportComparison
from ballistics.errors import CorruptFileError
from ballistics.evidence import Band, Bounds, LikelihoodRatio, Propositions, VerbalScale
from ballistics.files import parse_json
from ballistics.findings import Finding
from ballistics.surfaces import Pose, Step

_SCHEMAS = ("ballistics/comparison/1", "ballistics/striation/1")
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
        if not isinstance(document, dict) or document.get("schema") not in _SCHEMAS:
            return KeptResult("the kept file is not the result of a comparison of two scans")
        found = _read(document)
        method = document["comparison"]["provenance"]["method"], document["comparison"]["provenance"]["version"]
    except (CorruptFileError, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        return KeptResult(f"the kept file is not the result of a comparison: {type(error).__name__}")
    files = tuple(scan.scan.record.file for scan in compared.scans)
    if tuple(mark.file_sha256 for mark in found.marks) != files:
        return KeptResult("the kept file is the result of other scans than the record names")
    if method != (record.method, record.version):
        return KeptResult(f"the kept file states the method {method[0]} {method[1]}, the record another one")
    value = None if found.weight is None else found.weight.log10_lr
    if (value is None) != (record.log10_lr is None) or abs((value or 0.0) - (record.log10_lr or 0.0)) > _SAME:
        return KeptResult("the kept file states another likelihood ratio than the record")
    return found


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
    if evaluation is None:
        return found
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
