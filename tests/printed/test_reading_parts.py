"""Files of every mesh format become parts in millimetres, and what is odd about them is said."""

from __future__ import annotations

import csv

import mesh_samples as samples
import numpy as np
import pytest

from ballistics.errors import CorruptFileError, ParameterError, UnsupportedFormatError
from ballistics.printed.describe.geometry_hashes import geometry_keys
from ballistics.printed.files.reading import read_parts
from ballistics_kernels.meshes.surface_moments import area_and_centroid

WEDGE = samples.wedge()
EXACT = geometry_keys(*WEDGE).exact


def read(tmp_path, data, name="seized.stl", **options):
    path = tmp_path / name
    path.write_bytes(data)
    return read_parts(path, **options)


def codes(found):
    return {finding.code for finding in found.findings}


def is_wedge(part, volume=4000.0):
    """Whether a part is the wedge, right way out, in millimetres."""
    keys = geometry_keys(part.vertices_mm, part.faces)
    return EXACT in keys.near() and area_and_centroid(part.vertices_mm, part.faces)[4] == pytest.approx(volume, 1e-4)


FORMATS = {
    "binary.stl": samples.stl_binary(WEDGE),
    "text.stl": samples.stl_ascii(WEDGE),
    "capitals.stl": samples.stl_ascii(WEDGE).upper(),
    "windows.stl": samples.stl_ascii(WEDGE).replace(b"\n", b"\r\n"),
    "macintosh.stl": samples.stl_ascii(WEDGE).replace(b"\n", b"\r"),
    "wedge.off": samples.off(WEDGE),
    "counts-in-first-line.off": samples.off(WEDGE).replace(b"OFF\n", b"OFF "),
    "wedge.obj": samples.obj(WEDGE),
    "backwards.obj": samples.obj(WEDGE, offset=None),
    "textured.obj": b"mtllib no.mtl\nvt 0 0\nvn 0 0 1\n"
    + samples.obj(WEDGE).replace(b"f 1 3 2", b"usemtl red\nf 1/1/1 3/1/1 \\\n2//1"),
    "text.ply": samples.ply(WEDGE),
    "text-extra.ply": samples.ply(WEDGE, extra=True),
    "little.ply": samples.ply(WEDGE, "binary_little_endian"),
    "big.ply": samples.ply(WEDGE, "binary_big_endian", "double", "ushort uint", extra=True),
    "package.3mf": samples.simple_3mf(WEDGE),
    "wedge.amf": samples.amf(WEDGE),
    "zipped.amf": samples.archive({"wedge.amf": samples.amf(WEDGE)}),
    "wedge.glb": samples.gltf(WEDGE),
    "wedge.gltf": samples.gltf(WEDGE, embedded=True),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_part(tmp_path, name):
    found = read(tmp_path, FORMATS[name], name)
    (part,) = found.parts
    assert is_wedge(part)
    assert part.vertices_mm.shape == (4, 3)
    assert part.faces.shape == (4, 3)
    assert (part.vertices_mm.dtype, part.faces.dtype) == (np.float64, np.int64)
    assert not part.findings
    assert len(part.provenance.inputs["file"]) == 64
    assert ("unit-assumed" in codes(found)) == (found.format in ("STL", "OBJ", "PLY", "OFF"))


@pytest.mark.parametrize("name", FORMATS)
def test_the_content_decides_not_the_name(tmp_path, name):
    found = read(tmp_path, FORMATS[name], "renamed.jpg")
    assert is_wedge(found.parts[0])
    assert "extension-disagrees" in codes(found)


# --- STL -----------------------------------------------------------------------------------------


def test_binary_stl_that_begins_as_text(tmp_path):
    found = read(tmp_path, samples.stl_binary(WEDGE, b"solid wedge facet"))
    assert is_wedge(found.parts[0])
    assert "header-lies" in codes(found)


def test_binary_stl_says_what_is_behind_its_triangles_and_in_its_attributes(tmp_path):
    found = read(tmp_path, samples.stl_binary(WEDGE, b"COLOR=1234", attribute=7) + b"x" * 20)
    assert is_wedge(found.parts[0])
    assert {"trailing-bytes", "colour-attributes"} <= codes(found)
    hidden = read(tmp_path, samples.stl_binary(samples.together(WEDGE, WEDGE), count=4))
    (finding,) = [f for f in hidden.findings if f.code == "trailing-bytes"]
    assert finding.severity == "serious"
    assert "4 more triangles" in finding.message


def test_binary_stl_with_a_count_never_written(tmp_path):
    found = read(tmp_path, samples.stl_binary(WEDGE, count=0))
    assert is_wedge(found.parts[0])
    assert "count-wrong" in codes(found)


@pytest.mark.parametrize("count", [500, 100_000_000, 0xFFFFFFFF])
def test_binary_stl_that_declares_too_much(tmp_path, count):
    with pytest.raises(CorruptFileError, match="declares"):
        read(tmp_path, samples.stl_binary(WEDGE, count=count))


def test_text_stl_of_several_solids(tmp_path):
    far = samples.wedge((500.0, 0, 0))
    found = read(tmp_path, samples.stl_ascii(WEDGE, "left") + samples.stl_ascii(far, "right one"))
    assert [part.name for part in found.parts] == ["left", "right one"]
    assert all(map(is_wedge, found.parts))


def test_text_stl_cut_off_inside_a_facet(tmp_path):
    text = samples.stl_ascii(samples.box())
    found = read(tmp_path, text[: text.rfind(b"outer loop") + 20])
    assert len(found.parts[0].faces) == 11
    assert {"facet-cut-off"} <= codes(found)
    assert "not-watertight" in codes(found.parts[0])


@pytest.mark.parametrize(
    ("old", "new"), [(b"30.0", b"3O"), (b"vertex 0.0 30.0 0.0\n", b""), (b"endloop", b"vertex 1 1 1\n endloop")]
)
def test_text_stl_that_is_wrong(tmp_path, old, new):
    with pytest.raises(CorruptFileError):
        read(tmp_path, samples.stl_ascii(WEDGE).replace(old, new, 1))


# --- OBJ, PLY, OFF -------------------------------------------------------------------------------


def test_polygons(tmp_path):
    ring = "".join(f"v {np.cos(t):.9f} {np.sin(t):.9f} 0\n" for t in np.arange(6) * np.pi / 3)
    text = (ring + "f 1 2 3 4 5 6").encode()
    assert area_and_centroid(*_arrays(read(tmp_path, text, "hexagon.obj")))[0] == pytest.approx(1.5 * 3**0.5)
    points = ring.replace("v ", "")
    assert len(read(tmp_path, f"OFF\n6 1 0\n{points}6 0 1 2 3 4 5 0.5 0.5 0.5".encode()).parts[0].faces) == 4
    head = "ply\nformat ascii 1.0\nelement vertex 6\nproperty float x\nproperty float y\nproperty float z\n"
    head += "element face 2\nproperty list uchar int vertex_index\nend_header\n"
    assert len(read(tmp_path, f"{head}{points}4 0 1 2 3\n3 3 4 5".encode()).parts[0].faces) == 3


def test_polygons_of_different_length_in_binary_ply(tmp_path):
    head = (
        b"ply\nformat binary_big_endian 1.0\nelement vertex 5\nproperty float x\nproperty float y\nproperty float z\n"
    )
    head += b"element face 2\nproperty uchar flag\nproperty list uchar short vertex_indices\nend_header\n"
    body = np.array([[0, 0, 0], [9, 0, 0], [9, 9, 0], [0, 9, 0], [4, 12, 0]], ">f4").tobytes()
    body += b"\1\4" + np.array([0, 1, 2, 3], ">i2").tobytes() + b"\1\3" + np.array([3, 2, 4], ">i2").tobytes()
    assert area_and_centroid(*_arrays(read(tmp_path, head + body, "mixed.ply")))[0] == pytest.approx(81 + 13.5)


def _arrays(found):
    (part,) = found.parts
    return part.vertices_mm, part.faces


def test_named_objects_and_free_form_surfaces_of_obj(tmp_path):
    far = samples.wedge((500.0, 0, 0))
    text = b"o left\n" + samples.obj(WEDGE) + b"\no right\n" + samples.obj(far, offset=None) + b"\nsurf 0 1 0 1 1 2"
    found = read(tmp_path, b"# by a test\nmtllib no.mtl\n" + text, "two.obj")
    assert [part.name for part in found.parts] == ["left", "right"]
    assert all(map(is_wedge, found.parts))
    assert {"free-form-surfaces", "materials-outside", "several-objects"} <= codes(found)
    assert found.metadata["comments"] == ("by a test",)


def test_a_point_cloud_is_not_a_mesh(tmp_path):
    head = (
        b"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\nproperty float z\nend_header\n"
    )
    with pytest.raises(UnsupportedFormatError, match="cloud"):
        read(tmp_path, head + b"0 0 0\n", "cloud.ply")


# --- 3MF, AMF, glTF ------------------------------------------------------------------------------


def test_3mf_plate_with_components_transforms_units_and_metadata(tmp_path):
    inch = samples.wedge()[0] / 25.4, WEDGE[1]
    resources = (
        f'<object id="1" name="wedge">{samples.mesh_xml(inch)}</object>'
        '<object id="2" name="pair"><components><component objectid="1"/>'
        '<component objectid="1" transform="-1 0 0 0 1 0 0 0 1 -8 0 0"/></components></object>'
        f'<object id="3" name="spare">{samples.mesh_xml(inch)}</object>'
    )
    build = '<item objectid="1" transform="0 1 0 -1 0 0 0 0 1 9 9 0" partnumber="A"/><item objectid="2"/>'
    metadata = '<metadata name="Application">a slicer</metadata><metadata name="Designer">nobody</metadata>'
    picture = b"\x89PNG\r\n\x1a\n"
    data = samples.three_mf(samples.model_xml(resources, build, "inch", metadata), {"Metadata/plate_1.png": picture})
    found = read(tmp_path, data, "plate.3mf")
    assert (found.unit, found.metadata["Application"], found.metadata["Designer"]) == ("inch", "a slicer", "nobody")
    assert [thumbnail.data for thumbnail in found.thumbnails] == [picture]
    assert {"thumbnail-present", "object-not-on-plate", "several-objects"} <= codes(found)
    assert [part.name for part in found.parts] == ["wedge", "pair #1", "pair #2", "spare"]
    assert found.parts[0].metadata["partnumber"] == "A"
    assert found.parts[3].metadata["on_plate"] is False
    assert [is_wedge(part) for part in found.parts] == [True, True, False, True]
    mirror = geometry_keys(found.parts[2].vertices_mm, found.parts[2].faces)
    assert EXACT in mirror.near_mirrored()
    assert area_and_centroid(found.parts[2].vertices_mm, found.parts[2].faces)[4] == pytest.approx(4000.0)


def test_3mf_whose_objects_lie_in_files_of_their_own(tmp_path):
    other = samples.model_xml(f'<object id="7">{samples.mesh_xml(WEDGE)}</object>', unit="inch")
    resources = (
        '<object id="1"><components><component objectid="7" p:path="/3D/Objects/o.model"/></components></object>'
    )
    data = samples.three_mf(samples.model_xml(resources, '<item objectid="1"/>'), {"3D/Objects/o.model": other})
    found = read(tmp_path, data, "project.3mf")
    assert is_wedge(found.parts[0])
    assert "units-disagree" in codes(found)


def test_amf_units_and_constellations(tmp_path):
    inch = WEDGE[0] / 25.4, WEDGE[1]
    placed = "".join(f'<instance objectid="1"><deltax>{x}</deltax><rz>90</rz></instance>' for x in (0, 30))
    found = read(tmp_path, samples.amf(inch, 'unit="inch"', f'<constellation id="2">{placed}</constellation>'))
    assert found.unit == "inch"
    assert len(found.parts) == 2
    assert all(map(is_wedge, found.parts))
    assert found.parts[0].vertices_mm[:, 0].min() == pytest.approx(-30.0)


def test_gltf_nodes(tmp_path):
    nodes = [
        {"children": [1, 2], "rotation": [0, 0, 0.5**0.5, 0.5**0.5]},
        {"mesh": 0, "name": "left"},
        {"mesh": 0, "name": "right", "matrix": [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0.5, 0, 0, 1]},
    ]
    found = read(tmp_path, samples.gltf(WEDGE, nodes), "nodes.glb")
    assert [part.name for part in found.parts] == ["left", "right"]
    assert all(map(is_wedge, found.parts))
    assert found.parts[1].vertices_mm[:, 1].max() == pytest.approx(540.0)
    assert found.metadata["generator"] == "a test"


def test_step(tmp_path):
    pytest.importorskip("cascadio")
    found = read(tmp_path, samples.STEP_CYLINDER.encode(), "can.step")
    (part,) = found.parts
    assert np.ptp(part.vertices_mm, axis=0) == pytest.approx([20, 20, 30], abs=0.2)
    assert area_and_centroid(part.vertices_mm, part.faces)[4] == pytest.approx(np.pi * 100 * 30, rel=0.02)
    assert "tessellated" in codes(found)


# --- what is odd about a mesh --------------------------------------------------------------------


def test_units_are_doubted(tmp_path):
    small = read(tmp_path, samples.stl_binary((WEDGE[0] / 1000, WEDGE[1])))
    assert {"unit-assumed", "unit-doubtful"} <= codes(small)
    metres = read(tmp_path, samples.stl_binary((WEDGE[0] / 1000, WEDGE[1])), unit="metre")
    assert is_wedge(metres.parts[0])
    assert not codes(metres)
    assert "unit-overridden" in codes(read(tmp_path, samples.simple_3mf(WEDGE), "w.3mf", unit="inch"))
    assert "unit-doubtful" in codes(read(tmp_path, samples.off((WEDGE[0] * 100, WEDGE[1])), "w.off"))
    with pytest.raises(ParameterError, match="unit"):
        read(tmp_path, samples.off(WEDGE), unit="furlong")


def test_faults_of_a_mesh_are_found(tmp_path):
    vertices, faces = samples.box()

    def found(changed, points=vertices):
        return codes(read(tmp_path, samples.off((points, np.array(changed))), "box.off").parts[0])

    assert found(faces) == set()
    assert found(faces[:-1]) == {"not-watertight"}
    assert found(faces[:, ::-1]) == {"inside-out"}
    assert found([*faces[:-1], faces[-1][::-1]]) == {"winding-inconsistent"}
    assert found([*faces, faces[0][[1, 2, 0]]]) == {"not-watertight", "faces-duplicate"}
    assert found([*faces, [0, 0, 5]]) == {"faces-degenerate"}
    near = samples.box(origin=(40.5, 0, 0))
    both = samples.together((vertices, faces), near)
    assert found(both[1], both[0]) == {"several-bodies"}


def test_one_broken_triangle_does_not_hide_a_file_but_many_refuse_it(tmp_path):
    many = samples.together(*(samples.box(origin=(k * 100.0, 0, 0)) for k in range(20)))
    points = many[0][many[1]].reshape(-1, 3)
    loose = np.arange(len(points)).reshape(-1, 3)
    points[5] = np.nan
    found = read(tmp_path, samples.stl_binary((points, loose)))
    assert "vertices-not-finite" in codes(found.parts[0])
    assert len(found.parts) == 20
    points[::9] = np.inf
    with pytest.raises(CorruptFileError, match="NaN or infinite"):
        read(tmp_path, samples.stl_binary((points, loose)))


def test_objects_apart_are_parts_and_cavities_stay_inside(tmp_path):
    hollow = samples.together(samples.box((60, 60, 60)), _turned(samples.box((30, 30, 30), (15, 15, 15))))
    plate = samples.together(hollow, samples.wedge((100, 0, 0)), samples.wedge((150, 80, 0)))
    turn = np.linalg.qr(np.random.Generator(np.random.PCG64(3)).normal(size=(3, 3)))[0]
    for vertices in (plate[0], plate[0] @ (turn * np.linalg.det(turn)).T):
        found = read(tmp_path, samples.stl_binary((vertices, plate[1])))
        assert [len(part.faces) for part in found.parts] == [24, 4, 4]
        assert "several-bodies" in codes(found.parts[0])
        assert is_wedge(found.parts[1])
        assert found.parts[1].name == "seized #2"


def _turned(mesh):
    return mesh[0], mesh[1][:, ::-1]


# --- real files ----------------------------------------------------------------------------------


def test_real_meshes_are_read_as_the_manifest_counts_them(meshes):
    rows = list(csv.DictReader((meshes / "manifest.csv").read_text().splitlines()))[::16]
    for row in rows:
        found = read_parts(meshes / row["path"])
        assert sum(len(part.faces) for part in found.parts) == int(row["faces"]), row["path"]
        if row["bodies"] == "1" and row["watertight"] == "True":
            assert len(found.parts) == 1
            assert "not-watertight" not in codes(found.parts[0])
