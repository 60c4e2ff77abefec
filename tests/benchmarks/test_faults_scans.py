"""The scans with faults that are given: none is read wrong."""

from __future__ import annotations

from conftest import data_folder

from benchmarks.support import faults_scans


def test_no_scan_is_read_wrong():
    data_folder("faults")
    rows = list(faults_scans.rows())
    assert len(rows) == 12
    assert [row for row in rows if row.outcome == "wrong"] == []
    assert sum(row.outcome == "right" for row in rows) == 9
