"""Files with faults as people have them: read right, refused with the true reason, or wrong; every file given."""

from __future__ import annotations

import csv
import importlib
import importlib.util
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ballistics.errors import BallisticsError
from ballistics.printed.content.part import Part, PartFile
from ballistics.printed.files.reading import read_parts
from ballistics_kernels.meshes.surface_moments import area_and_centroid
from benchmarks.support.fault_rows import FAULTS, FaultRow
from benchmarks.support.record import Context, Record

DESCRIPTION = "strangers' files: read right, refused with the true reason, or wrong"

_PROTOCOL = (
    "every file of ../shared/data/faults that is a scan or a printed part, read through the public door; right: size,"
    " place (±0.2 mm for print jobs, ±0.01 mm else), volume (±5 %), number of solid parts, and the findings that are"
    " due; refused: by an error of ours that names the true reason; wrong: anything else, other exceptions too. Further"
    " files of every kind are kept back"
)


@dataclass(frozen=True)
class PartCase:
    """What is right for one file of a printed part.

    Parameters
    ----------
    file, situation : str
        As of `FaultRow`.
    size_mm : tuple of float, optional
        Of the first solid part; None: a refusal alone is right.
    low_mm : tuple of float, optional
        Its least coordinates.
    volume_mm3 : float, optional
    solids : int
        Parts without a role.
    roles : tuple of str
        Roles of the other parts.
    codes : tuple of str
        Findings that are due, every one.
    instead : str
        A finding with which size and volume need not be right.
    refusal : tuple of str
        Words that a refusal must have, every one; empty: a refusal is wrong.
    tolerance_mm : float
    """

    file: str
    situation: str
    size_mm: tuple[float, float, float] | None = None
    low_mm: tuple[float, float, float] | None = None
    volume_mm3: float | None = None
    solids: int = 1
    roles: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    instead: str = ""
    refusal: tuple[str, ...] = ()
    tolerance_mm: float = 0.01


def _job(
    file: str, situation: str, *codes: str, instead: str = "", low: tuple[float, float, float] = (50, 50, 0)
) -> PartCase:
    """Return the case of the plate of 30 x 20 x 3 mm that all files g* print."""
    return PartCase(
        f"files/{file}", situation, (30, 20, 3), low, 1800, codes=codes, instead=instead, tolerance_mm=0.2
    )  # fmt: skip


def _box(
    file: str, situation: str, *codes: str, low: tuple[float, float, float] = (0, 0, 0), **more: object
) -> PartCase:
    """Return the case of the box of 30 x 20 x 10 mm that most files m* hold."""
    case = PartCase(f"files/{file}", situation, (30, 20, 10), low, 6000, codes=codes)
    return PartCase(**{**case.__dict__, **more})


CASES = (
    _job("g02_klipper_name_ring20.gcode", "g20 in an object's name"),
    _job("g05_klipper_name_arm82.gcode", "m82 in an object's name"),
    _job("g07_exponent_feed.gcode", "feed rate with an exponent"),
    _job("g08_exponent_E.gcode", "E with an exponent"),
    _job("g09_volumetric_M200.gcode", "E is a volume"),
    _job("g11_filament_285_cura.gcode", "2.85 mm filament, not stated", instead="filament-diameter-assumed"),
    _job("g12_g92_bare.gcode", "G92 without words", "above-the-bed", low=(50, 50, 5)),
    _job("g15_crlf_cr.gcode", "lines end in CR"),
    _job("g19_bambu.gcode.3mf", "sliced 3MF, its checksum is not that of the job", "checksum-differs"),
    _job("g20_ufp.ufp", "Ultimaker format package"),
    _job("g28_klipper_name_housing28_id.gcode", "g28 in an object's name"),
    _box("m01_obj_comment_backslash_end.obj", "comment ends in a backslash before a vertex"),
    _box("m04_obj_inline_comment.obj", "comment behind a face"),
    _box("m05_obj_cr_only.obj", "lines end in CR"),
    _box("m07_ply_cr_only.ply", "lines end in CR"),
    _box("m08_stl_end_loop_space.stl", "'end loop' in two words"),
    _box("m09_stl_bom.stl", "byte-order mark"),
    _box("m14_stl_utf16.stl", "text in UTF-16", "text-encoding"),
    _box("m22_3mf_prusa_negative_volume.3mf", "a cutter (PrusaSlicer)", "not-a-solid-part", roles=("negative volume",)),
    _box("m25_3mf_path_percent_unencoded_zip.3mf", "%20 in a path", low=(5, 7, 0)),
    PartCase("files/m30_3mf_encrypted.3mf", "encrypted model", refusal=("encrypted", "secure content")),
    PartCase("files/m31_3mf_beams_only.3mf", "beams, no triangle", refusal=("beam lattice",)),
    _box("m37_amf_zip_modifier.amf", "a cutter in a zipped AMF", "not-a-solid-part", roles=("negative volume",)),
    _box("m38_glb_gpu_instancing_required.glb", "three instances", solids=3),
    _box("m40_glb_node_outside_scene.glb", "node outside the scene", "node-outside-scene", roles=("not in the scene",)),
    _box("m42_glb_sparse.glb", "sparse accessor", size_mm=(30, 20, 20), volume_mm3=12000),
    PartCase("files/m45_glb_draco_used_only.glb", "Draco, not required but alone", refusal=("Draco",)),
    _box("m46_obj_comment_backslash_before_face.obj", "comment ends in a backslash before a face"),
    _box("m49_3mf_unicode_path_extra.3mf", "Unicode path field"),
    _box("m51_3mf_support_object.3mf", "a component of type support", "not-a-solid-part", roles=("support",)),
    _box("m54_3mf_two_3dmodel_rels.3mf", "a second model that nothing places", "model-not-placed", solids=2),
    PartCase("files/whitespace.off", "blanks before OFF, none behind it", (3.265986, 3.265986, 2.309402), None, 12.317),
    PartCase("printed/plate.gcode.3mf", "sliced 3MF", (60.45, 24.45, 12), (59.775, 59.775, 0), tolerance_mm=0.2),
    PartCase("printed/job.bgcode", "binary G-code", (60.45, 24.45, 12), (59.775, 59.775, 0), tolerance_mm=0.2),
    PartCase(
        "printed/truncated.gcode", "cut in half", (60.45, 24.45, 5.8), (59.775, 59.775, 0),
        codes=("ends-in-the-middle",), tolerance_mm=0.2,
    ),
    PartCase(
        "printed/truncated.stl", "777 bytes missing", (60.705, 91.494, 40.974), (-87.977, -1.789, -22.226),
        codes=("ends-in-the-middle",),
    ),
    PartCase("hostile/glb-TypeError_gltf.py.229-1606.glb", "a list as component type", refusal=("component type",)),
    PartCase("hostile/glb-TypeError_gltf.py.229-2481.glb", "an object as component type", refusal=("component type",)),
    PartCase("hostile/glb-UnicodeEncodeError_gltf.py.61-1375.glb", "half a character in a name", (40, 30, 20)),
    PartCase("hostile/glb-UnicodeEncodeError_gltf.py.61-3424.glb", "half a character in a name", (40, 30, 20)),
    PartCase("hostile/glb-UnicodeEncodeError_gltf.py.70-391.glb", "half a character as generator", (40, 30, 20)),
    PartCase("hostile/glb-UnicodeEncodeError_gltf.py.70-526.glb", "half a character as generator", (40, 30, 20)),
    PartCase("hostile/stl-SLOW-2856.stl", "a mutant that took long", (40, 30, 20), (0, 0, 0)),
)  # fmt: skip


def part_rows(cases: Iterable[PartCase] = CASES) -> Iterator[FaultRow]:
    """Read every file of a printed part, and yield what became of it."""
    for case in cases:
        try:
            file = read_parts(FAULTS / case.file)
        except BallisticsError as error:
            said = str(error).removeprefix(f"{FAULTS / case.file}: ")
            fits = bool(case.refusal) and all(word in said for word in case.refusal)
            yield FaultRow(case.file, case.situation, expected(case), "refused" if fits else "wrong", said[:200])
        except Exception as error:  # whatever else a reader raises is what this benchmark looks for
            yield FaultRow(case.file, case.situation, expected(case), "wrong", f"{type(error).__name__}: {error}"[:200])
        else:
            faults = faults_of(case, file)
            yield FaultRow(
                case.file, case.situation, expected(case), "wrong" if faults else "right",
                "; ".join(faults) or _got(file),
            )  # fmt: skip


def expected(case: PartCase) -> str:
    """Return what is right for a file in words."""
    if case.size_mm is None:
        return f"refused with {' and '.join(case.refusal)}"
    words = [f"{_triple(case.size_mm)} mm"]
    if case.volume_mm3 is not None:
        words.append(f"{case.volume_mm3:g} mm³")
    if case.low_mm is not None:
        words.append(f"from {_triple(case.low_mm)}")
    if case.solids > 1:
        words.append(f"{case.solids} solid parts")
    words += [f"a part as {role}" for role in case.roles]
    words += [f"finding {code}" for code in case.codes]
    if case.instead:
        words.append(f"or finding {case.instead}")
    return ", ".join(words)


def faults_of(case: PartCase, file: PartFile) -> list[str]:
    """Return what is wrong with a file that was read."""
    if case.size_mm is None:
        return ["read, but a refusal is right"]
    codes = {finding.code for finding in file.findings}
    faults = [f"no finding {code}" for code in case.codes if code not in codes]
    solids = [part for part in file.parts if not part.metadata.get("role")]
    roles = tuple(str(part.metadata["role"]) for part in file.parts if part.metadata.get("role"))
    if roles != case.roles:
        faults.append(f"roles {roles}")
    if case.instead and case.instead in codes:
        return faults
    if len(solids) != case.solids:
        return [*faults, f"{len(solids)} solid parts"]
    return faults + _measured(case, solids[0])


def _measured(case: PartCase, part: Part) -> list[str]:
    faults = []
    low, size = part.vertices_mm.min(axis=0), np.ptp(part.vertices_mm, axis=0)
    if case.size_mm is not None and not np.allclose(size, case.size_mm, rtol=0, atol=case.tolerance_mm):
        faults.append(f"size {_triple(size)}")
    if case.low_mm is not None and not np.allclose(low, case.low_mm, rtol=0, atol=case.tolerance_mm):
        faults.append(f"from {_triple(low)}")
    volume = area_and_centroid(part.vertices_mm, part.faces)[4]
    if case.volume_mm3 is not None and not abs(volume - case.volume_mm3) <= 0.05 * case.volume_mm3:
        faults.append(f"volume {volume:.6g}")
    return faults


def _got(file: PartFile) -> str:
    first = file.parts[0]
    codes = ", ".join(dict.fromkeys(f.code for f in file.findings if f.severity != "note"))
    size = _triple(np.ptp(first.vertices_mm, axis=0))
    return f"{file.format}, {len(file.parts)} part{'s' * (len(file.parts) > 1)}, {size} mm, {codes or 'no warning'}"


def _triple(values: Iterable[float]) -> str:
    return " x ".join(f"{value:.4g}" for value in values)


def all_rows() -> list[FaultRow]:
    """Return the rows of printed parts, and those of scans."""
    found = list(part_rows())
    if importlib.util.find_spec("benchmarks.support.faults_scans") is not None:
        found += importlib.import_module("benchmarks.support.faults_scans").rows()
    return found


def run(context: Context) -> Iterator[Record]:
    """Read every file, print the table, and yield how many are right, refused and wrong."""
    found = all_rows()
    context.output.mkdir(parents=True, exist_ok=True)
    with open(context.output / "faults.csv", "w", newline="", encoding="utf-8") as sheet:
        writer = csv.writer(sheet, lineterminator="\n")
        writer.writerow(["file", "situation", "expected", "outcome", "got"])
        writer.writerows([row.file, row.situation, row.expected, row.outcome, row.got] for row in found)
    table = Table("file", "situation", "right", "outcome", "got")
    for row in found:
        outcome = f"[red]{row.outcome}[/]" if row.outcome == "wrong" else row.outcome
        file, situation, right, got = (escape(word) for word in (row.file, row.situation, row.expected, row.got))
        table.add_row(file, situation, right, outcome, got)
    Console().print(table)
    for outcome in ("right", "refused", "wrong"):
        count = sum(row.outcome == outcome for row in found)
        words = {"right": "read right", "refused": "refused with the true reason", "wrong": "wrong"}[outcome]
        goal = "0" if outcome == "wrong" else ""
        yield Record("faults", f"files {words}", float(count), "files", goal, _PROTOCOL, len(found))
