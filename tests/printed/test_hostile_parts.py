"""Hostile and damaged mesh files are refused with a clear error, within bounded time and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import mesh_samples as samples
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballistics.errors import HostileFileError, ReadError, UnsupportedFormatError
from ballistics.printed.files.reading import read_parts

WEDGE = samples.wedge()
MESH = samples.mesh_xml(WEDGE)
HEAD = (
    b"ply\nformat binary_little_endian 1.0\nelement vertex %d\nproperty float x\nproperty float y\nproperty float z\n"
)
FACES = b"element face %d\nproperty list %s vertex_indices\nend_header\n"
ENTITIES = b'<?xml version="1.0"?><!DOCTYPE m [<!ENTITY a "aaaaaaaaaa">' + b"".join(
    b'<!ENTITY %c "%s">' % (98 + k, b"&%c;" % (97 + k) * 10) for k in range(9)
)
DEEP = "<a>" * 100_000


def _components(depth, width):
    """Objects that each hold the one before many times."""
    objects = f'<object id="1">{MESH}</object>'
    for k in range(2, depth + 2):
        inner = f'<component objectid="{k - 1}"/>' * width
        objects += f'<object id="{k}"><components>{inner}</components></object>'
    return samples.model_xml(objects, f'<item objectid="{depth + 1}"/>')


def _model(resources, build='<item objectid="1"/>'):
    return samples.three_mf(samples.model_xml(resources, build))


HOSTILE = {
    # declared counts that lie
    "count.stl": samples.stl_binary(WEDGE, count=100_000_000),
    "text-head.stl": b"solid " + b"\0" * 200,
    "count.off": b"OFF\n100000000 100000000 0\n0 0 0\n",
    "count-huge.off": b"OFF\n99999999999 1 0\n0 0 0\n",
    "polygon.off": b"OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n999999999 0 1 2\n",
    "index.off": samples.off(WEDGE).replace(b"3 0 2 1", b"3 0 2 4"),
    "negative.off": samples.off(WEDGE).replace(b"3 0 2 1", b"3 0 2 -1"),
    "count.ply": HEAD % 4 + FACES % (100_000_000, b"uchar int") + b"\0" * 100,
    "vertices.ply": HEAD % 999_999_999_999 + FACES % (1, b"uchar int") + b"\0" * 100,
    "list.ply": HEAD % 1 + FACES % (1, b"uint int") + b"\0" * 12 + b"\xff\xff\xff\xff\0\0\0\0",
    "negative-list.ply": HEAD % 1 + FACES % (1, b"int int") + b"\0" * 12 + b"\xff\xff\xff\xff\0\0\0\0",
    "float-list.ply": HEAD % 1 + FACES % (1, b"float int") + b"\0" * 40,
    "no-end.ply": b"ply\n" + b"comment x\n" * 100_000,
    "digit.ply": samples.ply(WEDGE).replace(b"face 4", "face ¹".encode()),
    "digit.amf": samples.amf(WEDGE).replace(b"<v1>1", "<v1>¹".encode()),
    "count-text.ply": samples.ply(WEDGE).replace(b"element face 4", b"element face 100000000"),
    "no-property.ply": b"ply\nformat ascii 1.0\nelement x 1000000000000\nend_header\n",
    "index.obj": b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 4\n",
    "zero.obj": b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 0 1 2\n",
    "index-huge.obj": b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 99999999999999999999999\n",
    "line.obj": b"v 0 0 0\nf " + b"1 " * 2_000_000,
    "continued.obj": b"v 0 0 0\n" + b"f 1 \\\n" * 500_000,
    # numbers that are none, or too large
    "nan.stl": samples.stl_binary((WEDGE[0] * np.nan, WEDGE[1])),
    "nan.off": samples.off((np.where(WEDGE[0] == 40, np.nan, WEDGE[0]), WEDGE[1])),
    "infinite.obj": b"v 0 0 0\nv 1e999 0 0\nv 0 1 0\nf 1 2 3\n",
    "huge.off": samples.off((WEDGE[0] * 1e300, WEDGE[1])),
    "huge.stl": samples.stl_binary((WEDGE[0] * 1e35, WEDGE[1])),
    "points.stl": samples.stl_binary((WEDGE[0] * 0, WEDGE[1])),
    "digits.obj": b"v 0 0 0\nv 1" + b"0" * 900_000 + b" 0 0\nv 0 1 0\nf 1 2 3\n",
    # archives
    "bomb.3mf": samples.three_mf(b"<model>" + b" " * 200_000_000),
    "text-bomb.3mf": samples.three_mf(b"<model><metadata name='a'>" + b"a" * 30_000_000),
    "outside.3mf": samples.three_mf(samples.model_xml(""), {"../../etc/passwd": b"x"}),
    "no-model.zip": samples.archive({"readme.txt": b"nothing"}),
    "empty.3mf": samples.three_mf(b""),
    "bomb.amf": samples.archive({"a.amf": b"<amf>" + b" " * 200_000_000}),
    # XML
    "entities.3mf": samples.three_mf(ENTITIES + b"]><model>&j;</model>"),
    "external.amf": b'<?xml version="1.0"?><!DOCTYPE amf [<!ENTITY x SYSTEM "file:///etc/passwd">]><amf>&x;</amf>',
    "entities.amf": ENTITIES + b"]><amf>&j;</amf>",
    "deep.amf": f"<amf>{DEEP}".encode(),
    "deep.3mf": samples.three_mf(f"<model>{DEEP}".encode()),
    "encoding.amf": b'<?xml version="1.0" encoding="utf-7"?><amf/>',
    # objects of objects
    "itself.3mf": _model('<object id="1"><components><component objectid="1"/></components></object>'),
    "circle.3mf": _model(
        '<object id="1"><components><component objectid="2"/></components></object>'
        '<object id="2"><components><component objectid="1"/></components></object>'
    ),
    "billion.3mf": samples.three_mf(_components(12, 10)),
    "nested.3mf": samples.three_mf(_components(5000, 1)),
    "missing.3mf": _model('<object id="1"><components><component objectid="9"/></components></object>'),
    "no-file.3mf": _model('<object id="1"><components><component objectid="9" p:path="/x"/></components></object>'),
    "transform.3mf": _model(f'<object id="1">{MESH}</object>', f'<item objectid="1" transform="nan{" 0" * 11}"/>'),
    "index.3mf": _model(f'<object id="1">{MESH}</object>'.replace('v1="0"', 'v1="7"')),
    "unit.3mf": samples.three_mf(samples.model_xml(f'<object id="1">{MESH}</object>', unit="parsec")),
    "itself.amf": samples.amf(
        WEDGE, extra='<constellation id="2"><instance objectid="2"/><instance objectid="1"/></constellation>'
    ),
    "itself.glb": samples.gltf(WEDGE, [{"children": [0], "mesh": 0}]),
    "wide.glb": samples.gltf(
        WEDGE, [*({"children": [k + 1] * 10} for k in range(20)), {"mesh": 0}]
    ),
    # glTF
    "count.glb": samples.gltf(
        WEDGE, document={"accessors": [{"bufferView": 0, "componentType": 5126, "count": 10**8, "type": "VEC3"}]}
    ),
    "view.glb": samples.gltf(WEDGE, document={"bufferViews": [{"buffer": 0, "byteLength": 1 << 30}]}),
    "outside.gltf": json.dumps(
        {
            "asset": {}, "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
            "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"}],
            "bufferViews": [{"buffer": 0, "byteLength": 36}], "buffers": [{"uri": "/etc/passwd", "byteLength": 36}],
        }
    ).encode(),
    "deep.gltf": b'{"asset":' + b"[" * 100_000,
    "numbers.glb": samples.gltf(WEDGE, [{"mesh": 0, "matrix": ["a"] * 16}]),
    # print jobs
    "far.gcode": b"M83\nG1 Z0.2\nG1 X99999999 Y10 E5\n",
    "wide.gcode": b"M83\nG1 Z0.2\nG1 X3000 Y10 E5\n",
    "no-tracks.gcode": b"G28\nG1 X10 Y10\n" * 1000,
    "beside.gcode": b";TYPE:SKIRT\nM83\nG1 Z0.2\nG1 X10 Y10 E5\n",
    "below.gcode": b"M83\nG1 Z-5\nG1 X10 Y10 E5\n",
    "layers.gcode": b"M83\n" + b"".join(b"G1 Z%d X%d E1\n" % (k, k % 7) for k in range(1, 30_000)),
    # what is no mesh
    "empty.stl": b"",
    "noise.bin": bytes(range(256)) * 40,
    "text.txt": b"nothing of interest\n" * 50,
    "solid.stl": b"solid nothing\nendsolid nothing\n",
    "step.step": b"ISO-10303-21;\nHEADER;\nENDSEC;\nDATA;\n#1=CARTESIAN_POINT('',(0.,0.,0.));\nENDSEC;\n",
    "job.bgcode": b"GCDE\1\0\0\0",
}  # fmt: skip

_CHILD = """
import json, resource, sys, time
from pathlib import Path
from ballistics.errors import ReadError
from ballistics.printed.files.reading import read_parts
read_parts(sys.argv[1] + "/good.stl")  # imports and compiled kernels are not part of the measure
held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (held + (400 << 20),) * 2)
for path in sorted(Path(sys.argv[1]).iterdir()):
    start = time.process_time()
    try:
        read_parts(path)
        said = "read"
    except ReadError as error:
        said = f"{type(error).__name__}: {error}"
    print(json.dumps([path.name, said, time.process_time() - start]))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's limits")
def test_hostile_files_are_refused_with_little_memory_and_time(tmp_path):
    for name, data in HOSTILE.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "good.stl").write_bytes(samples.stl_binary(WEDGE))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _CHILD, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    rows = {name: (said, seconds) for name, said, seconds in map(json.loads, done.stdout.splitlines())}
    assert rows.pop("good.stl")[0] == "read"
    assert set(rows) == set(HOSTILE)
    for name, (said, seconds) in rows.items():
        assert said.startswith(
            ("CorruptFileError", "HostileFileError", "UnsupportedFormatError", "UnknownFormatError")
        ), (name, said)
        assert "free memory" not in said, name
        assert len(said) < 400, name
        assert seconds < 5.0, (name, seconds)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("entities.3mf", "entities"), ("entities.amf", "entities"), ("external.amf", "entities"),
        ("itself.3mf", "itself"), ("circle.3mf", "itself"), ("nested.3mf", "deep"), ("billion.3mf", "faces"),
        ("outside.3mf", "leaves the archive"), ("deep.amf", "deep"), ("itself.amf", "itself"),
    ],
)  # fmt: skip
def test_attacks_are_named(tmp_path, name, word):
    path = tmp_path / name
    path.write_bytes(HOSTILE[name])
    with pytest.raises(HostileFileError, match=word):
        read_parts(path)


def test_what_is_not_a_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.stl")
    for path in (tmp_path, tmp_path / "pipe.stl", tmp_path / "none.stl", "a\0b.stl"):
        with pytest.raises(ReadError):
            read_parts(path)


def test_the_face_limit_is_kept_by_every_format(tmp_path):
    box = samples.box()
    files = {
        "a.stl": samples.stl_binary(box), "b.stl": samples.stl_ascii(box), "a.off": samples.off(box),
        "a.obj": samples.obj(box), "a.ply": samples.ply(box), "b.ply": samples.ply(box, "binary_big_endian"),
        "a.3mf": samples.simple_3mf(box), "a.amf": samples.amf(box), "a.glb": samples.gltf(box),
    }  # fmt: skip
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        assert read_parts(tmp_path / name, face_limit=12)
        with pytest.raises(HostileFileError, match="face_limit"):
            read_parts(tmp_path / name, face_limit=11)


def test_made_up_collisions_do_not_slow_the_merging_of_vertices():
    from ballistics_kernels.meshes.vertex_merging import merge_vertices

    random = np.random.Generator(np.random.PCG64(1))
    bits = random.integers(0, 2**63, (2000, 3), dtype=np.uint64)
    first, number, good = merge_vertices(np.concatenate([bits, bits[::-1]]))
    assert good
    assert first.size == 2000
    assert (number[2000:] == number[1999::-1]).all()


JOB = b"M83\n" + b"".join(
    b";TYPE:WALL-OUTER\nG1 Z%d\nG1 X9 Y9\nG1 X19 E3\nG3 Y19 X19 J5 E3\nG1 X9 E3\nG1 Y9 E3\n" % k for k in range(1, 4)
)
GOOD = {
    "a.gcode": JOB,
    "a.stl": samples.stl_binary(WEDGE), "b.stl": samples.stl_ascii(WEDGE), "a.off": samples.off(WEDGE),
    "a.obj": samples.obj(WEDGE), "a.ply": samples.ply(WEDGE, extra=True),
    "b.ply": samples.ply(WEDGE, "binary_big_endian", extra=True), "a.3mf": samples.simple_3mf(WEDGE),
    "a.amf": samples.amf(WEDGE), "a.glb": samples.gltf(WEDGE), "a.gltf": samples.gltf(WEDGE, embedded=True),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.slow
def test_damaged_files_are_read_or_refused_but_never_crash(tmp_path_factory, name):
    path = tmp_path_factory.mktemp("damaged") / name
    good = GOOD[name]

    @settings(max_examples=60, database=None)
    @given(
        st.lists(st.tuples(st.integers(0, len(good) - 1), st.integers(0, 255)), max_size=6),
        st.one_of(st.just(len(good)), st.integers(0, len(good))),
    )
    def damage(changes, length):
        data = bytearray(good)
        for at, value in changes:
            data[at] = value
        path.write_bytes(data[:length])
        try:
            found = read_parts(path)
        except ReadError:
            pass
        else:
            for part in found.parts:
                assert np.isfinite(part.vertices_mm).all()
                assert part.faces.min() >= 0
                assert part.faces.max() < len(part.vertices_mm)

    damage()


def test_step_without_its_extra_says_so(tmp_path, monkeypatch):
    path = tmp_path / "a.step"
    path.write_bytes(HOSTILE["step.step"])
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UnsupportedFormatError, match=r"ballistics\[step\]"):
        read_parts(path)
