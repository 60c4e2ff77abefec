"""Made-up scored scans for tests of validation studies: no surface is compared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from prepared_marks import made_once

from ballistics.pairs.prepared_scans import Method
from ballistics.studies.scan_pairs import ScannedItem, ScannedPair, ScoredScans
from ballistics.studies.scan_study import study_of_scans
from ballistics.studies.truth_table import ScanTruth
from ballistics.surfaces.pose import Pose
from ballistics.surfaces.surface import Mark

FIREARMS = 7


class Marks:
    """Where every mark is: the same for all."""

    def load(self, key):
        heights = np.random.default_rng(len(key)).normal(size=(60, 60)).astype(np.float32)
        return Mark("breech face", heights, 6.25, "topography")


def made_up(mirrored=True):
    """Three cases of each firearm, one of them scanned twice; one more that is mirrored, and one without a mark."""
    random = np.random.default_rng(3)
    items = [(f, c, 1) for f in range(FIREARMS) for c in range(3)] + [(0, 0, 2), (1, 3, 1), (2, 3, 1)]
    scans = [
        ScannedItem(ScanTruth(f"s{i:02d}.x3p", f"F{f}", f"firearm F{f}, case {c}"), f"{i:064d}")
        for i, (f, c, _) in enumerate(items)
    ]
    wrong, empty = len(items) - 2, len(items) - 1
    pairs = []
    for i, (f, c, _) in enumerate(items):
        for j in range(i + 1, len(items)):
            g, d, _ = items[j]
            if empty in (i, j):
                pairs.append(ScannedPair(i, j, None, None, None, without_score="mark B is insufficient: no mark"))
                continue
            same = f == g and not (mirrored and wrong in (i, j))
            repeat = (f, c) == (g, d)
            similarity = float(random.normal(5000 if repeat else 900 if same else 30, 60 if same else 8))
            findings = ("serious: mirrored",) if f == g and wrong in (i, j) and mirrored else ()
            count = 24 if same else int(random.integers(0, 3))
            accf = 0.6 if same else 0.2
            pairs.append(
                ScannedPair(
                    i, j, count, 26, accf + random.normal() / 50, similarity, 3.0, "", findings, Pose(1.0, 2.0, 3.0)
                )
            )
    return ScoredScans("breech face", tuple(scans), tuple(pairs), Method().comparison(), {}, Marks())


def made_up_study():
    """A study of them, in which one more pair has another serious finding, and is counted; made once in a run."""

    def make():
        scored = made_up()
        noted = replace(scored.pairs[0], findings=("serious: regular-manufacturing-marks", "note: other"))
        return study_of_scans(replace(scored, pairs=(noted, *scored.pairs[1:])), "made up", "", "0" * 64)

    return made_once("made-up study", make)
