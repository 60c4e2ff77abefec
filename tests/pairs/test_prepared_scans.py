"""Scans of a set, each read as its row or a pattern says; what a file says of its instrument goes first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from ballistics.errors import CorruptFileError, ParameterError
from ballistics.pairs.prepared_scans import Method, prepare_scans
from ballistics.studies.scan_pairs import score_all_pairs
from ballistics.studies.truth_table import read_truth
from ballistics.surfaces.formats.reading import read
from ballistics.surfaces.scan_readings import readings

SCANS = ("K002fJ1.x3p", "K004dD1.x3p", "K066jN1.x3p")


def table(folder: Path, *rows: str) -> Path:
    path = folder / "truth.csv"
    path.write_text("\n".join(["scan,firearm,units,region,instrument", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.mark.slow
def test_units_and_regions_of_single_scans(topmatch: Path, tmp_path: Path) -> None:
    left = np.isfinite(read(topmatch / SCANS[1]).heights_um)
    left[:, left.shape[1] // 2 :] = False
    cv2.imwrite(str(tmp_path / "left.png"), np.where(left, 255, 0).astype(np.uint8))
    rows = (f"{SCANS[0]},J,micrometres,,", f"{SCANS[1]},D,,left.png,", f"{SCANS[2]},N,,,")
    truths = read_truth(table(tmp_path, *rows))
    files = [(scan, topmatch / scan) for scan in SCANS]
    method = Method(readings=readings(rows={truth.scan: truth.reading for truth in truths}))
    (prepared,), store = prepare_scans([files], tmp_path, method)
    assert [scan.left_out for scan in prepared] == [""] * 3
    assert ["serious: units-overridden" in scan.findings for scan in prepared] == [True, False, False]
    assert ["note: region-given" in scan.findings for scan in prepared] == [False, True, False]
    assert {scan.instrument for scan in prepared} == {"photometric stereo"}
    assert len({str(scan.preparation) for scan in prepared}) == 1
    areas = [store.load(scan.sha256).area_um2 for scan in prepared]
    assert areas[1] == pytest.approx(left.sum() * 7.374**2, rel=0.03)
    # Without a word of the unit the first cannot be read; another region is other work.
    patterns = Method(readings=readings((), [f"{SCANS[1]}=left.png"]))
    assert len({Method().key(), method.key()}) == 2
    with pytest.raises(ParameterError, match="cannot be read"):
        patterns.key()
    (plain,), _ = prepare_scans([files], tmp_path, Method())
    assert plain[0].left_out.startswith("UnitsError")
    (by_pattern,), _ = prepare_scans([files], tmp_path, Method(readings=readings(["K002*=micrometres"])))
    assert [scan.left_out for scan in by_pattern] == [""] * 3
    with pytest.raises(ParameterError, match="no scan fits the pattern"):
        prepare_scans([files], tmp_path, Method(readings=readings(["K003*=micrometres"])))


def test_a_table_with_a_wrong_unit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorruptFileError, match="line 2: units is 'inches'"):
        read_truth(table(tmp_path, "a.x3p,1,inches,,"))


def test_the_file_goes_before_what_is_stated_of_its_instrument(topmatch: Path, tmp_path: Path) -> None:
    path = table(tmp_path, f"{SCANS[1]},D,,,confocal", f"{SCANS[2]},N,,,GelSight")
    scored = score_all_pairs(topmatch, read_truth(path), tmp_path / "work")
    assert [scan.truth.labels["instrument"] for scan in scored.scans] == ["photometric stereo"] * 2
    contradicted = ["serious: instrument-contradicts" in scan.findings for scan in scored.scans]
    assert contradicted == [True, False]
    unstated = [replace(truth, labels={}) for truth in read_truth(path)]
    again = score_all_pairs(topmatch, unstated, tmp_path / "work")
    assert {scan.truth.labels["instrument"] for scan in again.scans} == {"photometric stereo"}
    assert again.pairs == scored.pairs
