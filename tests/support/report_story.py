"""A case of the tests from two cartridge cases to an authorised report, with a real comparison weighed by a made-up
population."""

from dataclasses import replace
from functools import cache
from itertools import islice

import numpy as np
from casework_story import Laboratory, case

from ballistics.casework import (
    Authorisation,
    Calibration,
    Comparison,
    Competence,
    Conclusion,
    Incident,
    Information,
    Instrument,
    Item,
    Observation,
    Report,
    Review,
    Scan,
    Transfer,
    Unmasking,
    Validation,
)
from ballistics.evidence import ReferencePopulation, ScoreTable, VerbalScale, weigh
from ballistics.evidence.comparisons import comparison_conditions
from ballistics.front import FileComparison, compare_files
from ballistics.reports import Evaluation
from ballistics.surfaces import simulate_population, write_x3p

KNOWN = {"calibres": ("9 mm Luger",), "instrument_classes": ("confocal",), "ammunition": ("Geco",)}
SUMMARY = "The marks on both cartridge cases were compared. They support that one firearm left them."
ITEMS = ("C-1/1", "C-1/2")


def weighed(found: FileComparison) -> FileComparison:
    """Weigh a comparison by a population made up around its conditions."""
    conditions = comparison_conditions(found.comparison, found.marks, "similarity", **KNOWN)
    names = [f"P{i:02d}" for i in range(12)]
    same = [(900.0 + 90 * (i % 7), name, name) for i, name in enumerate(names)]
    different = [
        (10.0 + 3 * ((5 * i + j) % 11), first, second)
        for i, first in enumerate(names)
        for j, second in enumerate(names)
        if i < j
    ]
    scores, first, second = zip(*same, *different, strict=True)
    areas = [float(np.clip(found.comparison.overlap_um2 * 1e-6 - 0.5 + 0.1 * (i % 9), 0.5, None))
             for i in range(len(scores))]  # fmt: skip
    table = ScoreTable.build(scores, first, second, None, area_mm2=areas)
    population = ReferencePopulation("made up, of no firearm", table, conditions, "nobody's scans")
    scans = [surface.provenance.inputs["file"] for surface in found.surfaces]
    result = weigh(found.comparison, found.marks, [population], *KNOWN.values(), scans, draws=40)
    return replace(found, evaluation=Evaluation(result, "en", VerbalScale.load()))


@cache
def simulated(folder):
    """Return the weighed comparison of two small simulated scans, and the bytes of both files."""
    paths = []
    heads = simulate_population(2, 2, 11, breech_faces=("granular",), spacing_um=12.5)
    for number, head in enumerate(islice(heads, 2), 1):
        paths.append(folder / f"case-{number}.x3p")
        write_x3p(paths[-1], head.surface)
    return weighed(compare_files(*paths)), tuple(path.read_bytes() for path in paths)


def quality(lab: Laboratory, found: FileComparison, due="2026-12-31", validated=True, competent=("E1", "E2", "RE")):
    """Record instrument, calibration, validation and competence."""
    lab.record("QM", Instrument("INS-1", make="Sensofar", model="S neox", serial="0042", kind="confocal",
                                in_service="2024-01"))  # fmt: skip
    lab.record("QM", Calibration("CAL-1", instrument="INS-1", on="2025-11-20", due=due,
                                 by="Metrology Institute, 17025-7", certificate="K-881", outcome="passed"))  # fmt: skip
    made = found.comparison.provenance
    if validated:
        lab.record("QM", Validation("VAL-1", method=made.method, version=made.version, on="2026-02-01",
                                    outcome="passed", criteria=("Cllr below 0.3: met",)))  # fmt: skip
    for name in competent:
        lab.record("QM", Competence(f"COMP-{name}", operator=name, method="breech face", since="2025-01-01",
                                    basis="course of 2024, test of 2025"))  # fmt: skip


def examined(lab: Laboratory, found: FileComparison, files, blind=False, words=""):
    """Record a case up to the conclusions of two examiners; ``words`` are put into every free text."""
    lab.record("CU", replace(case(blind=blind, propositions=(f"The two items were marked by one firearm. {words}",
                                                             f"They were marked by two firearms. {words}")),
                             title=f"Two cartridge cases {words}", requester=f"Basic Public Prosecutor {words}",
                             jurisdiction=f"MK {words}"))  # fmt: skip
    lab.record("CU", Information("C-1/I", case="C-1", known=f"HIDDEN a suspect was named {words}", source="police"))
    lab.record("CU", Incident("C-1/INC", case="C-1", kind="shooting", date="2026-11-01", place=f"Skopje {words}",
                              description=f"Shots at a house {words}"))  # fmt: skip
    for number, data in enumerate(files, 1):
        lab.record("CU", Item(f"C-1/{number}", case="C-1", kind="cartridge case", calibre="9 mm Luger",
                              description=f"brass, primer intact {words}", incident="C-1/INC", packaging="paper bag",
                              found_at=f"kerb, 1.{number} m from the gate {words}", found_on="2026-11-01",
                              seal=f"S-10{number}", make=f"maker {words}", condition="intact"))  # fmt: skip
        lab.record("E1", Scan(f"C-1/{number}/S", case="C-1", item=f"C-1/{number}", file=lab.book.files.keep_bytes(data),
                              name=f"case-{number}{words}.x3p", mark="breech face", instrument="INS-1",
                              at="2026-11-03T09:30", by="E1"))  # fmt: skip
    for number, (event, by) in enumerate((("seized", "Officer 7"), ("received", "CU"), ("examined", "E1"))):
        lab.record("CU", Transfer(f"C-1/T{number}", case="C-1", items=ITEMS, event=event, at=f"2026-11-0{number + 1}",
                                  place=f"store {words}", by=by, seal=f"S-20{number}", seal_intact="yes"))  # fmt: skip
    for name in ("E1", "E2"):
        lab.record(name, Observation(f"C-1/O-{name}", case="C-1", items=ITEMS, suitability="suitable",
                                     seen=f"arched lines, one scratch {words}"))  # fmt: skip
    ratio, made = found.evaluation.weighed.result, found.comparison.provenance
    ends = ratio.interval or (None, None)
    lab.record("E1", Comparison("C-1/V", case="C-1", scans=("C-1/1/S", "C-1/2/S"), mark="breech face",
                                method=made.method, version=made.version, score=float(found.similarity),
                                result=lab.book.files.keep_bytes(found.json()), log10_lr=ratio.log10_lr,
                                log10_lower=ends[0], log10_upper=ends[1], no_lr=ratio.reason))  # fmt: skip
    lab.record("E1", conclusion("E1", words=words))
    lab.record("E2", conclusion("E2", words=words, verifies="C-1/C-E1"))
    if blind:
        lab.record("E1", Unmasking("C-1/U", case="C-1", conclusion="C-1/C-E1", shown=("scores",)))


def conclusion(name, words="", **more):
    stated = {"scale": "AFTE", "value": "identification", "reasons": f"agreement of individual marks {words}"}
    return Conclusion(f"C-1/C-{name}", case="C-1", items=ITEMS, **{**stated, **more})


def draft(lab: Laboratory, kind="evaluative", words="", summary=SUMMARY, **more):
    """Record a report of the case and return the number of its entry."""
    lab.record("E1", Report("R-1", case="C-1", kind=kind, language="en", comparisons=("C-1/V",),
                            **{"conclusions": ("C-1/C-E1",) if kind == "evaluative" else (),
                               "summary": f"{summary} {words}".strip(),
                               "limits": f"The head stamps were not examined. {words}".strip(), **more}))  # fmt: skip
    return lab.book.log.head().number


def authorised(lab: Laboratory, entry: int, words=""):
    """Review and authorise a draft, and return the number of the authorisation's entry."""
    lab.record("RE", Review("R-1/R", case="C-1", report="R-1", report_entry=entry, outcome="accepted",
                            checked=("items", "scans", "method", "reference", "findings", "conclusion", "wording"),
                            note=f"nothing {words}"))  # fmt: skip
    lab.record("AU", Authorisation("R-1/A", case="C-1", report="R-1", review="R-1/R", report_entry=entry))
    return lab.book.log.head().number
