"""glTF as it is specified: scenes, instances, sparse and normalised numbers, morphs, buffers beside the file."""

from __future__ import annotations

import base64
import contextlib
import json
import os

import mesh_samples as samples
import numpy as np
import pytest

from ballistics.errors import CorruptFileError, HostileFileError, UnsupportedFormatError
from ballistics.printed.files.reading import read_parts
from ballistics_kernels.meshes.surface_moments import area_and_centroid

BOX = samples.box((30.0, 20.0, 10.0))
POINTS = (BOX[0] / 1000.0).astype("<f4")
CORNERS = BOX[1].astype("<u2")


def read(tmp_path, data, name="box.glb"):
    path = tmp_path / name
    path.write_bytes(data)
    return read_parts(path)


def codes(found):
    return {finding.code for finding in found.findings}


def sizes(found):
    return [np.ptp(part.vertices_mm, axis=0).round(3).tolist() for part in found.parts]


ONE = [30.0, 20.0, 10.0]
FLAT = CORNERS.ravel()


def test_the_control(tmp_path):
    found = read(tmp_path, samples.glb([POINTS, FLAT]))
    assert sizes(found) == [ONE]
    assert not codes(found)


@pytest.mark.parametrize("name", ["FB_ngon_encoding", "VENDOR_shape", "KHR_gaussian_splatting", "EXT_mesh_manifold_2"])
def test_an_unknown_required_extension_is_refused_by_name(tmp_path, name):
    with pytest.raises(UnsupportedFormatError, match=f"requires the extension '{name}'"):
        read(tmp_path, samples.glb([POINTS, FLAT], extensionsRequired=[name], extensionsUsed=[name]))
    assert sizes(read(tmp_path, samples.glb([POINTS, FLAT], extensionsUsed=[name]))) == [ONE]


@pytest.mark.parametrize("name", ["KHR_materials_unlit", "KHR_texture_transform", "KHR_lights_punctual"])
def test_extensions_that_do_not_change_the_shape(tmp_path, name):
    assert sizes(read(tmp_path, samples.glb([POINTS, FLAT], extensionsRequired=[name]))) == [ONE]


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("KHR_draco_mesh_compression", "Draco"),
        ("EXT_meshopt_compression", "meshopt"),
        ("KHR_meshopt_compression", "meshopt"),
    ],
)
def test_compression_is_named(tmp_path, name, word):
    with pytest.raises(UnsupportedFormatError, match=word):
        read(tmp_path, samples.glb([POINTS, FLAT], extensionsRequired=[name]))


def draco(extra):
    return [
        {
            "primitives": [
                {"attributes": {"POSITION": 0}, "indices": 1, "extensions": {"KHR_draco_mesh_compression": extra}}
            ]
        }
    ]


def test_draco_that_is_only_used(tmp_path):
    meshes = draco({"bufferView": 0, "attributes": {"POSITION": 0}})
    with pytest.raises(UnsupportedFormatError, match="Draco"):
        read(tmp_path, samples.glb([POINTS, FLAT], {0: {"bufferView": None}, 1: {"bufferView": None}}, meshes=meshes))
    with pytest.raises(UnsupportedFormatError, match="Draco"):
        read(tmp_path, samples.glb([POINTS, FLAT], {0: {"bufferView": None}}, meshes=meshes))
    found = read(tmp_path, samples.glb([POINTS, FLAT], meshes=meshes))
    assert sizes(found) == [ONE]
    assert "fallback-read" in codes(found)


def test_meshopt_that_is_only_used(tmp_path):
    packed = {
        "EXT_meshopt_compression": {"buffer": 1, "byteLength": 96, "count": 8, "byteStride": 12, "mode": "ATTRIBUTES"}
    }
    views = [
        {"buffer": 1, "byteLength": 96, "extensions": packed},
        {"buffer": 0, "byteOffset": 96, "byteLength": 72},
    ]
    buffers = [{"byteLength": 168}, {"byteLength": 96, "extensions": {"EXT_meshopt_compression": {"fallback": True}}}]
    with pytest.raises(UnsupportedFormatError, match="meshopt"):
        read(tmp_path, samples.glb([POINTS, FLAT], bufferViews=views, buffers=buffers))


# --- instances and scenes ------------------------------------------------------------------------


def instanced(*names, required=True):
    attributes = {name: 2 + k for k, name in enumerate(names)}
    used = {"extensionsRequired": ["EXT_mesh_gpu_instancing"]} if required else {}
    return {
        "nodes": [
            {
                "mesh": 0,
                "name": "box",
                "scale": [2, 2, 2],
                "extensions": {"EXT_mesh_gpu_instancing": {"attributes": attributes}},
            }
        ],
        **used,
    }


def test_instances_are_read_with_their_places(tmp_path):
    shift = np.array([[0, 0, 0], [0.1, 0, 0], [0.2, 0, 0]], "<f4")
    turn = np.array([[0, 0, 0, 1], [0, 0, 0.5**0.5, 0.5**0.5], [0, 0, 0, 1]], "<f4")
    size = np.array([[1, 1, 1], [1, 1, 1], [1, 1, 2]], "<f4")
    found = read(
        tmp_path, samples.glb([POINTS, FLAT, shift, turn, size], **instanced("TRANSLATION", "ROTATION", "SCALE"))
    )
    assert [part.name for part in found.parts] == ["box"] * 3
    assert sizes(found) == [[60, 40, 20], [40, 60, 20], [60, 40, 40]]
    assert [part.vertices_mm[:, 0].min().round(3) for part in found.parts] == [0, 160, 400]
    short = np.array([[0, 0, 0, 32767], [0, 0, 23170, 23170]], "<i2")
    data = samples.glb([POINTS, FLAT, short], {2: {"normalized": True}}, **instanced("ROTATION", required=False))
    assert sizes(read(tmp_path, data)) == [[60, 40, 20], [40, 60, 20]]


def test_instances_that_make_no_sense(tmp_path):
    first, two = np.zeros((1, 3), "<f4"), np.zeros((2, 3), "<f4")
    with pytest.raises(CorruptFileError, match="counts"):
        read(tmp_path, samples.glb([POINTS, FLAT, first, two], **instanced("TRANSLATION", "SCALE")))
    many = np.zeros((30_000, 3), "<f4")
    with pytest.raises(HostileFileError, match="instances"):
        read(tmp_path, samples.glb([POINTS, FLAT, many], **instanced("TRANSLATION")))


def test_what_lies_outside_the_scene_is_read_apart(tmp_path):
    nodes = [{"mesh": 0, "name": "shown"}, {"mesh": 0, "name": "spare", "children": [2]}, {"mesh": 0, "name": "inner"}]
    found = read(tmp_path, samples.glb([POINTS, FLAT], nodes=nodes))
    assert [(part.name, part.metadata.get("role", "")) for part in found.parts] == [
        ("shown", ""), ("spare", "not in the scene"), ("inner", "not in the scene"),
    ]  # fmt: skip
    assert {"node-outside-scene", "not-a-solid-part"} <= codes(found)
    second = samples.glb([POINTS, FLAT], nodes=nodes[:2], scenes=[{"nodes": [0]}, {"nodes": [1]}], scene=1)
    nodes[1].pop("children")
    second = samples.glb([POINTS, FLAT], nodes=nodes[:2], scenes=[{"nodes": [0]}, {"nodes": [1]}], scene=1)
    assert {p.name: p.metadata.get("role", "") for p in read(tmp_path, second).parts} == {
        "shown": "not in the scene", "spare": "",
    }  # fmt: skip
    everything = read(tmp_path, samples.glb([POINTS, FLAT], nodes=nodes[:2], scenes=[]))
    assert "node-outside-scene" not in codes(everything)
    assert len(everything.parts) == 2


def test_a_mesh_that_no_node_uses(tmp_path):
    meshes = [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}] * 2
    found = read(tmp_path, samples.glb([POINTS, FLAT], meshes=meshes))
    assert [part.metadata.get("role", "") for part in found.parts] == ["", "not in the scene"]
    assert "node-outside-scene" in codes(found)


def test_a_hidden_node(tmp_path):
    nodes = [{"mesh": 0, "extensions": {"KHR_node_visibility": {"visible": False}}}]
    found = read(tmp_path, samples.glb([POINTS, FLAT], nodes=nodes, extensionsRequired=["KHR_node_visibility"]))
    assert found.parts[0].metadata["role"] == "not visible"


# --- numbers -------------------------------------------------------------------------------------


def test_sparse_accessors(tmp_path):
    rows, new = np.array([1, 3, 5, 7], "<u2"), POINTS[[1, 3, 5, 7]] * np.float32([1, 1, 2])
    sparse = {"count": 4, "indices": {"bufferView": 2, "componentType": 5123}, "values": {"bufferView": 3}}
    found = read(tmp_path, samples.glb([POINTS, FLAT, rows, new], {0: {"sparse": sparse}}))
    assert sizes(found) == [[30, 20, 20]]
    zeros = {"count": 8, "indices": {"bufferView": 2, "componentType": 5121}, "values": {"bufferView": 0}}
    data = samples.glb([POINTS, FLAT, np.arange(8, dtype="u1")], {0: {"sparse": zeros, "bufferView": None}})
    assert sizes(read(tmp_path, data)) == [ONE]
    for wrong in (
        {**sparse, "count": 9},
        7,
        {"count": 1},
    ):
        with pytest.raises(CorruptFileError, match="sparse"):
            read(tmp_path, samples.glb([POINTS, FLAT, rows, new], {0: {"sparse": wrong}}))


@pytest.mark.parametrize(("kind", "most"), [("u1", 255), ("u2", 65535), ("i1", 127), ("i2", 32767)])
def test_normalised_and_plain_whole_numbers(tmp_path, kind, most):
    corners = BOX[0] / np.array(ONE)
    full = np.pad((corners * most).round().astype("<" + kind), ((0, 0), (0, 1)))
    places = np.ascontiguousarray(full)
    nodes = [{"mesh": 0, "scale": [0.03, 0.02, 0.01]}]
    data = samples.glb(
        [places, FLAT], {0: {"type": "VEC3", "normalized": True}}, nodes=nodes,
        bufferViews=[
            {"buffer": 0, "byteLength": places.nbytes, "byteStride": places.strides[0]},
            {"buffer": 0, "byteOffset": places.nbytes, "byteLength": 72},
        ],
        extensionsRequired=["KHR_mesh_quantization"],
    )  # fmt: skip
    assert sizes(read(tmp_path, data)) == [ONE]
    plain = data.replace(b'"normalized": true', b'"normalized":false')
    found = read(tmp_path, plain)
    assert sizes(found) == [[30.0 * most, 20.0 * most, 10.0 * most]]


def morphed(weights, node=None):
    meshes = [
        {"primitives": [{"attributes": {"POSITION": 0}, "indices": 1, "targets": [{"POSITION": 2}, {"NORMAL": 2}]}]}
    ]
    if weights is not None:
        meshes[0]["weights"] = weights
    nodes = [{"mesh": 0} if node is None else {"mesh": 0, "weights": node}]
    return samples.glb([POINTS, FLAT, POINTS * np.float32([0, 0, 1])], meshes=meshes, nodes=nodes)


@pytest.mark.parametrize(
    ("weights", "node", "height"), [(None, None, 10), ([0.0, 1.0], None, 10), ([0.5], None, 15), ([0.5, 0], [2, 0], 30)]
)
def test_morph_targets(tmp_path, weights, node, height):
    found = read(tmp_path, morphed(weights, node))
    assert sizes(found) == [[30, 20, height]]
    assert "morph-targets" in codes(found)
    with pytest.raises(CorruptFileError, match="weight"):
        read(tmp_path, morphed(["a"]))


def test_skins_and_animations_are_said(tmp_path):
    found = read(tmp_path, samples.glb([POINTS, FLAT], nodes=[{"mesh": 0, "skin": 0}], animations=[{}]))
    assert {"skin-not-applied", "animation-not-applied"} <= codes(found)


# --- buffers -------------------------------------------------------------------------------------

BLOB = POINTS.tobytes() + CORNERS.tobytes()


def outside(uri):
    whole = json.loads(samples.gltf(BOX, embedded=True))
    whole["buffers"] = [{"uri": uri, "byteLength": len(BLOB)}]
    return json.dumps(whole).encode()


@pytest.mark.parametrize("uri", ["box.bin", "sub/box.bin", "b%C3%B6x%201.bin", "böx 1.bin", "./box.bin"])
def test_a_buffer_beside_the_file(tmp_path, uri):
    (tmp_path / "sub").mkdir()
    for name in ("box.bin", "sub/box.bin", "böx 1.bin"):
        (tmp_path / name).write_bytes(BLOB)
    found = read(tmp_path, outside(uri), "box.gltf")
    assert sizes(found) == [ONE]
    assert area_and_centroid(found.parts[0].vertices_mm, found.parts[0].faces)[4] == pytest.approx(6000, rel=1e-5)
    hashes = found.provenance.inputs
    assert len(hashes) == 2
    assert all(len(value) == 64 for value in hashes.values())


@pytest.mark.parametrize(
    "uri", ["../box.bin", "sub/../../box.bin", "/etc/passwd", "file:///etc/passwd", "C:\\box.bin", "..\\box.bin",
            "%2e%2e/box.bin",
            "http://127.0.0.1/box.bin", "\\\\server\\box.bin", ""],
)  # fmt: skip
def test_nothing_outside_the_folder_is_opened(tmp_path, uri):
    folder = tmp_path / "inner"
    folder.mkdir()
    (tmp_path / "box.bin").write_bytes(BLOB)
    with pytest.raises(HostileFileError, match="outside the file's folder"):
        read(folder, outside(uri), "box.gltf")


def test_links_out_of_the_folder_are_not_followed(tmp_path):
    folder = tmp_path / "inner"
    folder.mkdir()
    (tmp_path / "box.bin").write_bytes(BLOB)
    (folder / "link.bin").symlink_to(tmp_path / "box.bin")
    (folder / "up").symlink_to(tmp_path)
    for uri in ("link.bin", "up/box.bin"):
        with pytest.raises(HostileFileError, match="link"):
            read(folder, outside(uri), "box.gltf")


def test_buffers_that_are_missing_short_or_no_files(tmp_path):
    (tmp_path / "box.bin").write_bytes(BLOB[:-1])
    os.mkfifo(tmp_path / "pipe.bin")
    for uri, words in (
        ("none.bin", "cannot be opened"),
        ("box.bin", "167 bytes"),
        ("pipe.bin", "regular"),
        (".", "regular"),
    ):
        with pytest.raises(CorruptFileError, match=words):
            read(tmp_path, outside(uri), "box.gltf")


def test_data_uris(tmp_path):
    for uri in (
        "data:application/gltf-buffer;base64," + base64.b64encode(BLOB).decode(),
        "data:;base64," + base64.b64encode(BLOB).decode().replace("=", "%3D"),
        "data:application/octet-stream," + "".join(f"%{byte:02x}" for byte in BLOB),
    ):
        assert sizes(read(tmp_path, outside(uri), "box.gltf")) == [ONE]
    for uri in ("data:application/octet-stream;base64,!!!", "data:nothing"):
        with pytest.raises(CorruptFileError):
            read(tmp_path, outside(uri), "box.gltf")


def test_names_with_half_characters(tmp_path):
    found = read(
        tmp_path, samples.glb([POINTS, FLAT], nodes=[{"mesh": 0, "name": "\ud800x"}], asset={"generator": "\udfff"})
    )
    assert found.parts[0].name == "?x"


@pytest.mark.parametrize("value", [[1], {"a": 1}, 1e300, -1, None, True, "5126", 10**400])
@pytest.mark.parametrize("key", ["componentType", "count", "type", "bufferView", "byteOffset", "sparse", "normalized"])
def test_values_of_any_kind_in_an_accessor(tmp_path, key, value):
    data = samples.glb([POINTS, FLAT], {0: {key: value} if value is not None else {key: []}})
    with contextlib.suppress(CorruptFileError, HostileFileError, UnsupportedFormatError):
        read(tmp_path, data)
