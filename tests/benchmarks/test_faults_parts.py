"""The files with faults that were given: every one is read right, or refused with the true reason."""

from __future__ import annotations

import pytest
from conftest import data_folder

from ballistics.printed.files.reading import read_parts
from benchmarks.suites.faults import CASES, PartCase, faults_of, part_rows


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file)
@pytest.mark.slow
def test_a_file_with_a_fault(case):
    data_folder("faults")
    (row,) = part_rows([case])
    assert row.outcome == ("refused" if case.refusal else "right"), row.got


def test_the_benchmark_sees_what_is_wrong(tmp_path):
    folder = data_folder("faults")
    file = read_parts(folder / "files/m22_3mf_prusa_negative_volume.3mf")
    right = {"size_mm": (30, 20, 10), "volume_mm3": 6000, "roles": ("negative volume",)}
    assert not faults_of(PartCase("", "", **right), file)
    for wrong in (
        {"size_mm": (30, 20, 11)}, {"volume_mm3": 6700}, {"roles": ()}, {"solids": 2}, {"codes": ("no-such",)},
        {"low_mm": (1, 0, 0)}, {"size_mm": None},
    ):  # fmt: skip
        assert faults_of(PartCase("", "", **{**right, **wrong}), file)
