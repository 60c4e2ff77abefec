"""The long tail through SurfaceTopography: the same findings, units guard and refusals."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from x3p_samples import surfacetopography_reader

import ballistics
from ballistics.errors import CorruptFileError, HostileFileError, UnitsError, UnsupportedFormatError

HEIGHTS = np.random.Generator(np.random.PCG64(0)).integers(-4000, 4000, (70, 80))


@pytest.fixture(autouse=True)
def _extra():
    surfacetopography_reader("SDF", "SDFReader")


def sdf(tmp_path, *, rows=70, columns=80, step="5e-6", name="a.sdf"):
    """Write an ISO 25178-71 text file."""
    header = {
        "ManufacID": "test",
        "CreateDate": "010120200000",
        "ModDate": "010120200000",
        "NumPoints": columns,
        "NumProfiles": rows,
        "Xscale": step,
        "Yscale": "10e-6",
        "Zscale": "1e-9",
        "Zresolution": "-1",
        "Compression": 0,
        "DataType": 5,
        "CheckType": 0,
    }
    lines = ["aISO-1.0", *(f"{key} = {value}" for key, value in header.items()), "*"]
    lines += [" ".join(map(str, row)) for row in HEIGHTS.tolist()] + ["*"]
    path = tmp_path / name
    path.write_text("\n".join(lines))
    return path


def test_heights_spacing_and_findings(tmp_path):
    surface = ballistics.read(sdf(tmp_path))
    np.testing.assert_allclose(surface.heights_um, HEIGHTS * 1e-3, rtol=1e-12)
    assert surface.spacing_um == pytest.approx((10.0, 5.0))
    assert [f.code for f in surface.findings] == ["third-party-reader"]
    assert surface.metadata["format"] == "sdf"


def test_behind_the_same_guard(tmp_path):
    with pytest.raises(UnitsError, match="pixel size 5 m"):
        ballistics.read(sdf(tmp_path, step="5"))


def test_dimensions_that_lie(tmp_path):
    with pytest.raises((HostileFileError, CorruptFileError)):
        ballistics.read(sdf(tmp_path, rows=40_000, columns=40_000))


def test_damaged_file(tmp_path):
    path = tmp_path / "a.plu"
    path.write_bytes(b"\x01" * 50)
    with pytest.raises(CorruptFileError, match="SurfaceTopography cannot read it"):
        ballistics.read(path)


def test_absent_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "SurfaceTopography.IO.SDF", None)
    with pytest.raises(UnsupportedFormatError, match=r"ballistics\[formats\]"):
        ballistics.read(sdf(tmp_path))
