"""Harmless solids, and files of every mesh format made from them, right and wrong, byte by byte."""

from __future__ import annotations

import base64
import io
import json
import struct
import zipfile
import zlib

import numpy as np


def box(size=(40.0, 30.0, 20.0), origin=(0.0, 0.0, 0.0)):
    """Return a closed box as vertices and faces that look outwards."""
    corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)], float)
    quads = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
    faces = np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))], np.int64)
    return corners * size + origin, faces


def wedge(origin=(0.0, 0.0, 0.0)):
    """Return a closed tetrahedron without any symmetry."""
    corners = np.array([[0.0, 0, 0], [40, 0, 0], [0, 30, 0], [0, 0, 20]]) + origin
    return corners, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.int64)


def together(*meshes):
    """Return several meshes as one."""
    before = np.cumsum([0, *(len(vertices) for vertices, _ in meshes)])
    vertices = np.concatenate([vertices for vertices, _ in meshes])
    return vertices, np.concatenate([faces + n for (_, faces), n in zip(meshes, before, strict=False)])


def stl_binary(mesh, header=b"", count=None, attribute=0):
    vertices, faces = mesh
    records = np.zeros(len(faces), np.dtype([("n", "<f4", 3), ("p", "<f4", (3, 3)), ("a", "<u2")]))
    records["p"], records["a"] = vertices[faces], attribute
    return header.ljust(80, b"\0") + struct.pack("<L", len(faces) if count is None else count) + records.tobytes()


def stl_ascii(mesh, name="wedge"):
    vertices, faces = mesh
    lines = [f"solid {name}"]
    for face in faces:
        corners = "".join(f"   vertex {' '.join(repr(float(v)) for v in vertices[c])}\n" for c in face)
        lines.append(f" facet normal 0 0 0\n  outer loop\n{corners}  endloop\n endfacet")
    return "\n".join([*lines, f"endsolid {name}\n"]).encode()


def off(mesh, head="OFF"):
    vertices, faces = mesh
    rows = [" ".join(map(repr, map(float, v))) for v in vertices] + [f"3 {a} {b} {c}" for a, b, c in faces.tolist()]
    return "\n".join([head, f"{len(vertices)} {len(faces)} 0", *rows]).encode()


def obj(mesh, offset=1):
    """Return an OBJ file; with ``offset`` None, its faces count backwards."""
    vertices, faces = mesh
    offset = -len(vertices) if offset is None else offset
    rows = [f"v {' '.join(map(repr, map(float, v)))}" for v in vertices]
    return "\n".join([*rows, *(f"f {a} {b} {c}" for a, b, c in (faces + offset).tolist())]).encode()


def ply(mesh, encoding="ascii", vertex_type="float", list_types="uchar int", extra=False):
    """Return a PLY file; with ``extra``, with more properties and elements than the geometry needs."""
    vertices, faces = mesh
    head = f"ply\nformat {encoding} 1.0\ncomment by a test\nelement vertex {len(vertices)}\n"
    head += "".join(f"property {vertex_type} {axis}\n" for axis in "xyz") + "property uchar red\n" * extra
    head += f"element face {len(faces)}\nproperty list {list_types} vertex_indices\n" + "property short flag\n" * extra
    head += "element edge 1\nproperty int a\n" * extra + "end_header\n"
    if encoding == "ascii":
        rows = [" ".join(map(repr, map(float, v))) + " 7" * extra for v in vertices]
        rows += [f"3 {a} {b} {c}" + " -1" * extra for a, b, c in faces.tolist()] + ["0"] * extra
        return (head + "\n".join(rows) + "\n").encode()
    order = "<" if "little" in encoding else ">"
    codes = {"float": "f", "double": "d", "uchar": "B", "int": "i", "short": "h", "uint": "I", "ushort": "H"}
    count, index = (codes[word] for word in list_types.split())
    body = b"".join(struct.pack(f"{order}3{codes[vertex_type]}", *v) + b"\7" * extra for v in vertices)
    body += b"".join(struct.pack(f"{order}{count}3{index}", 3, *f) + b"\0\0" * extra for f in faces.tolist())
    return head.encode() + body + b"\0\0\0\0" * extra


def mesh_xml(mesh):
    vertices, faces = mesh
    points = "".join('<vertex x="{!r}" y="{!r}" z="{!r}"/>'.format(*map(float, v)) for v in vertices)
    triangles = "".join('<triangle v1="{}" v2="{}" v3="{}"/>'.format(*f) for f in faces.tolist())
    return f"<mesh><vertices>{points}</vertices><triangles>{triangles}</triangles></mesh>"


CORE = "http://schemas.microsoft.com/3dmanufacturing/core/2015/02"
PRODUCTION = "http://schemas.microsoft.com/3dmanufacturing/production/2015/06"


def model_xml(resources, build="", unit="millimeter", metadata=""):
    return (
        f'<?xml version="1.0"?><model unit="{unit}" xmlns="{CORE}" xmlns:p="{PRODUCTION}">{metadata}'
        f"<resources>{resources}</resources><build>{build}</build></model>"
    ).encode()


def three_mf(model, members=None, path="3D/3dmodel.model"):
    """Return a 3MF package around a model."""
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r" '
        f'Target="/{path}" Type="http://schemas.microsoft.com/3dmanufacturing/2013/01/3dmodel"/></Relationships>'
    )
    return archive(
        {"[Content_Types].xml": b"<Types/>", "_rels/.rels": relations.encode(), path: model, **(members or {})}
    )


def archive(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in members.items():
            package.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def simple_3mf(mesh, **options):
    return three_mf(
        model_xml(f'<object id="1" name="solid">{mesh_xml(mesh)}</object>', '<item objectid="1"/>', **options)
    )


def amf(mesh, unit='unit="millimeter"', extra=""):
    vertices, faces = mesh
    points = "".join(
        "<vertex><coordinates><x>{!r}</x><y>{!r}</y><z>{!r}</z></coordinates></vertex>".format(*map(float, v))
        for v in vertices
    )
    triangles = "".join("<triangle><v1>{}</v1><v2>{}</v2><v3>{}</v3></triangle>".format(*f) for f in faces.tolist())
    return (
        f'<?xml version="1.0"?><amf {unit}><metadata type="cad">a test</metadata><object id="1"><metadata type="name">'
        f"solid</metadata><mesh><vertices>{points}</vertices><volume>{triangles}</volume></mesh></object>{extra}</amf>"
    ).encode()


def gltf(mesh, nodes=None, embedded=False, document=None):
    """Return a GLB file in metres, or with ``embedded`` a glTF text."""
    vertices, faces = mesh
    points, corners = (vertices / 1000.0).astype("<f4").tobytes(), faces.astype("<u2").tobytes()
    blob = points + corners + b"\0" * (-len(points + corners) % 4)
    whole = {
        "asset": {"version": "2.0", "generator": "a test"},
        "nodes": nodes or [{"mesh": 0, "name": "solid"}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": len(vertices), "type": "VEC3"},
            {"bufferView": 1, "componentType": 5123, "count": faces.size, "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteLength": len(points)},
            {"buffer": 0, "byteOffset": len(points), "byteLength": len(corners)},
        ],
        "buffers": [{"byteLength": len(blob)}],
        **(document or {}),
    }
    if embedded:
        whole["buffers"][0]["uri"] = "data:application/octet-stream;base64," + base64.b64encode(blob).decode()
        return json.dumps(whole).encode()
    text = json.dumps(whole).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<L4s", len(text), b"JSON") + text + struct.pack("<L4s", len(blob), b"BIN\0") + blob
    return struct.pack("<4sLL", b"glTF", 2, 12 + len(body)) + body


def glb(arrays, accessors=None, **document):
    """Return a GLB of a mesh; each array is an accessor with a view of its own: 0 is POSITION, 1 the indices."""
    blob, views, found = b"", [], []
    for array in arrays:
        data = np.ascontiguousarray(array).tobytes()
        views.append({"buffer": 0, "byteOffset": len(blob), "byteLength": len(data)})
        codes = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "u4": 5125, "f4": 5126}
        kind = {1: "SCALAR", 3: "VEC3", 4: "VEC4"}[1 if array.ndim == 1 else array.shape[1]]
        code = codes[array.dtype.str[1:]]
        found.append({"bufferView": len(views) - 1, "componentType": code, "count": len(array), "type": kind})
        blob += data + b"\0" * (-len(data) % 4)
    for k, changes in (accessors or {}).items():
        found[k] = {key: value for key, value in {**found[k], **changes}.items() if value is not None}
    whole = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "box"}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "accessors": found,
        "bufferViews": views,
        "buffers": [{"byteLength": len(blob)}],
        **document,
    }
    text = json.dumps(whole).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<L4s", len(text), b"JSON") + text + struct.pack("<L4s", len(blob), b"BIN\0") + blob
    return struct.pack("<4sLL", b"glTF", 2, 12 + len(body)) + body


def block(kind, data, *, packing=0, encoding=0, checked=True):
    """Return a block of binary G-code after the specification of libbgcode."""
    packed = zlib.compress(data) if packing == 1 else data
    head = struct.pack("<HHL", kind, packing, len(data)) + (struct.pack("<L", len(packed)) if packing else b"")
    whole = head + struct.pack("<HHH", 0, 16, 16)[: 6 if kind == 5 else 2] + packed
    whole = whole if kind == 5 else head + struct.pack("<H", encoding) + packed
    return whole + (struct.pack("<L", zlib.crc32(whole)) if checked else b"")


def bgcode(*blocks, checked=True, version=1):
    return struct.pack("<4sLH", b"GCDE", version, int(checked)) + b"".join(blocks)


# A solid cylinder, 20 mm across and 30 mm high, written by hand after ISO 10303-21 and AP214.
STEP_CYLINDER = """ISO-10303-21;
HEADER;
FILE_DESCRIPTION((''),'2;1');
FILE_NAME('can','2026-01-01T00:00:00',(''),(''),'','a test','');
FILE_SCHEMA(('AUTOMOTIVE_DESIGN'));
ENDSEC;
DATA;
#1=APPLICATION_CONTEXT('automotive design');
#2=PRODUCT_CONTEXT('',#1,'mechanical');
#3=PRODUCT('can','can','',(#2));
#4=PRODUCT_DEFINITION_FORMATION('','',#3);
#5=PRODUCT_DEFINITION_CONTEXT('part definition',#1,'design');
#6=PRODUCT_DEFINITION('','',#4,#5);
#7=PRODUCT_DEFINITION_SHAPE('','',#6);
#8=(LENGTH_UNIT()NAMED_UNIT(*)SI_UNIT(.MILLI.,.METRE.));
#9=(NAMED_UNIT(*)PLANE_ANGLE_UNIT()SI_UNIT($,.RADIAN.));
#10=(NAMED_UNIT(*)SI_UNIT($,.STERADIAN.)SOLID_ANGLE_UNIT());
#11=UNCERTAINTY_MEASURE_WITH_UNIT(LENGTH_MEASURE(1.E-6),#8,'distance_accuracy_value','');
#12=(GEOMETRIC_REPRESENTATION_CONTEXT(3)GLOBAL_UNCERTAINTY_ASSIGNED_CONTEXT((#11))GLOBAL_UNIT_ASSIGNED_CONTEXT((#8,#9,#10))REPRESENTATION_CONTEXT('',''));
#13=CARTESIAN_POINT('',(0.,0.,0.));
#14=DIRECTION('',(0.,0.,1.));
#15=DIRECTION('',(1.,0.,0.));
#16=AXIS2_PLACEMENT_3D('',#13,#14,#15);
#17=CARTESIAN_POINT('',(0.,0.,30.));
#18=AXIS2_PLACEMENT_3D('',#17,#14,#15);
#19=CARTESIAN_POINT('',(10.,0.,0.));
#20=CARTESIAN_POINT('',(10.,0.,30.));
#21=VERTEX_POINT('',#19);
#22=VERTEX_POINT('',#20);
#23=CIRCLE('',#16,10.);
#24=CIRCLE('',#18,10.);
#25=VECTOR('',#14,1.);
#26=LINE('',#19,#25);
#27=EDGE_CURVE('',#21,#21,#23,.T.);
#28=EDGE_CURVE('',#22,#22,#24,.T.);
#29=EDGE_CURVE('',#21,#22,#26,.T.);
#30=ORIENTED_EDGE('',*,*,#27,.T.);
#31=ORIENTED_EDGE('',*,*,#29,.T.);
#32=ORIENTED_EDGE('',*,*,#28,.F.);
#33=ORIENTED_EDGE('',*,*,#29,.F.);
#34=EDGE_LOOP('',(#30,#31,#32,#33));
#35=FACE_BOUND('',#34,.T.);
#36=CYLINDRICAL_SURFACE('',#16,10.);
#37=ADVANCED_FACE('',(#35),#36,.T.);
#38=ORIENTED_EDGE('',*,*,#27,.F.);
#39=EDGE_LOOP('',(#38));
#40=FACE_BOUND('',#39,.T.);
#41=PLANE('',#16);
#42=ADVANCED_FACE('',(#40),#41,.F.);
#43=ORIENTED_EDGE('',*,*,#28,.T.);
#44=EDGE_LOOP('',(#43));
#45=FACE_BOUND('',#44,.T.);
#46=PLANE('',#18);
#47=ADVANCED_FACE('',(#45),#46,.T.);
#48=CLOSED_SHELL('',(#37,#42,#47));
#49=MANIFOLD_SOLID_BREP('',#48);
#50=ADVANCED_BREP_SHAPE_REPRESENTATION('',(#16,#49),#12);
#51=SHAPE_DEFINITION_REPRESENTATION(#7,#50);
ENDSEC;
END-ISO-10303-21;
"""
