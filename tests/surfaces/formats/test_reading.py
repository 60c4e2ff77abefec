"""The one door: what it refuses at once, what it records, and that it is quick and silent."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from x3p_samples import grid_axes, write_x3p_sample

import ballistics
from ballistics.errors import CorruptFileError, ParameterError, ReadError, UnitsError, UnsupportedFormatError
from ballistics.provenance import sha256_of_array, sha256_of_file
from ballistics.surfaces.formats import reading


def test_missing_file(tmp_path):
    with pytest.raises(ReadError, match=r"no\.x3p: cannot be opened"):
        ballistics.read(tmp_path / "no.x3p")


def test_folder(tmp_path):
    with pytest.raises(ReadError, match="is a folder"):
        ballistics.read(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system: not tested that they are refused")
def test_pipe_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe.x3p")
    with pytest.raises(ReadError, match="not a regular file"):
        ballistics.read(tmp_path / "pipe.x3p")


def test_name_with_a_nul():
    with pytest.raises(ReadError):
        ballistics.read("a\0b.x3p")


@pytest.mark.parametrize("content", [b"", b"x", b"hello world\n" * 50, b"%PDF-1.7"])
def test_unknown_content(tmp_path, content):
    path = tmp_path / "a.x3p"
    path.write_bytes(content)
    with pytest.raises(UnsupportedFormatError, match="known format"):
        ballistics.read(path)


def test_content_decides_not_the_name(tmp_path):
    surface = ballistics.read(write_x3p_sample(tmp_path / "scan.tmd"))
    assert [f.code for f in surface.findings] == ["extension-disagrees"]
    assert surface.metadata["format"] == "X3P"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"spacing_um": 5.0}, "states its own spacing"),
        ({"units": "inches"}, "units is 'inches'"),
        ({"layer": -1}, "layer"),
        ({"layer": 1}, "layer 1"),
        ({"height_limit_bytes": 0}, "height_limit_bytes"),
    ],
)
def test_parameters_that_do_not_fit(tmp_path, options, words):
    path = write_x3p_sample(tmp_path / "a.x3p")
    with pytest.raises(ParameterError, match=words):
        ballistics.read(path, **options)


def test_absurd_numbers_neither_warn_nor_pass(tmp_path):
    rng = np.random.Generator(np.random.PCG64(0))
    heights = rng.choice([1.7e308, -1.7e308], (70, 80))
    path = write_x3p_sample(tmp_path / "a.x3p", heights.tobytes())
    with pytest.raises(UnitsError):
        ballistics.read(path)
    surface = ballistics.read(path, units="as written")
    assert surface.valid_fraction == 0.0
    path = write_x3p_sample(tmp_path / "b.x3p", axes=grid_axes("D", "1e305", "1e305"))
    with pytest.raises(CorruptFileError, match="not a length"):
        ballistics.read(path, units="as written")


def test_provenance(tmp_path):
    path = write_x3p_sample(tmp_path / "a.x3p")
    surface = ballistics.read(path, units="as written")
    assert surface.provenance.inputs == {
        "file": sha256_of_file(path),
        "array": sha256_of_array(surface.heights_um),
    }
    assert surface.provenance.method == "read X3P"
    assert surface.provenance.parameters == {
        "layer": 0,
        "spacing_um": None,
        "units": "as written",
        "height_limit_bytes": 2 << 30,
        "format": "X3P",
    }
    assert surface.provenance.versions["numpy"] == np.__version__


def test_messages_name_the_file(tmp_path):
    path = write_x3p_sample(tmp_path / "a.x3p", feature="XYZ")
    with pytest.raises(UnsupportedFormatError) as caught:
        ballistics.read(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_nothing_is_printed(tmp_path, capfd):
    ballistics.read(write_x3p_sample(tmp_path / "a.x3p", checksum="0" * 32))
    assert capfd.readouterr() == ("", "")


def test_import_is_light():
    code = (
        "import sys; import ballistics\n"
        "heavy = {'numpy', 'scipy', 'cv2', 'numba', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_every_finding_code_is_documented():
    folder = Path(reading.__file__).parent
    sources = [*folder.rglob("*.py"), folder.parents[1] / "files" / "byte_order.py"]
    text = "".join(source.read_text(encoding="utf-8") for source in sources)
    used = set(re.findall(r'[Ff]inding\(\s*"([a-z-]+)"', text))
    documented = set(re.findall(r"``([a-z0-9]+(?:-[a-z0-9]+)+)``", reading.read.__doc__))
    assert "checksum-wrong" in used
    assert used == documented


def test_public_names_exist():
    assert set(ballistics.__all__) <= set(dir(ballistics))
    for name in ballistics.__all__:
        assert getattr(ballistics, name) is not None
    assert ballistics.__version__
    with pytest.raises(AttributeError, match="no_such_name"):
        ballistics.no_such_name  # noqa: B018
