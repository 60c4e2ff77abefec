"""Print jobs of ordinary objects, made by the slicers that are installed: PrusaSlicer, Slic3r and CuraEngine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reference_meshes.solids import Mesh

#: The slicers by the name of their programs. CuraEngine needs the definitions of Cura beside it.
PROGRAMS = {"PrusaSlicer": "prusa-slicer", "Slic3r": "slic3r", "CuraEngine": "CuraEngine"}
# A slicer that takes longer than this hangs.
_MOST_SECONDS = 300
_DEFINITIONS = (
    Path(os.environ.get("CURA_DEFINITIONS", "/usr/share/cura/resources/definitions")),
    Path("/usr/share/cura-definitions"),
)
# CuraEngine works out no formula of its definitions: what depends on the height of the layers is stated.
_CURA = {
    "machine_width": 250, "machine_depth": 250, "machine_height": 250, "machine_center_is_zero": "true",
    "center_object": "false", "mesh_position_x": 0, "mesh_position_y": 0, "mesh_position_z": 0,
    "machine_heated_bed": "true", "machine_nozzle_size": 0.4, "material_diameter": 1.75, "layer_height_0": 0.2,
    "line_width": 0.4, "wall_line_width": 0.4, "wall_line_width_0": 0.4, "wall_line_width_x": 0.4,
    "skin_line_width": 0.4, "infill_line_width": 0.4, "skirt_brim_line_width": 0.4, "support_line_width": 0.4,
    "initial_layer_line_width_factor": 100, "wall_thickness": 0.8, "wall_line_count": 2, "roofing_layer_count": 0,
    "infill_sparse_density": 20, "infill_line_distance": 4, "infill_pattern": "grid", "top_layers": 4,
    "bottom_layers": 4, "initial_bottom_layers": 4, "top_thickness": 0.8, "bottom_thickness": 0.8,
    "support_infill_rate": 15, "support_line_distance": 2.66, "support_initial_layer_line_distance": 2.66,
    "support_enable": "false", "support_roof_enable": "false", "support_bottom_enable": "false",
    "support_angle": 50, "support_z_distance": 0.2, "support_top_distance": 0.2, "support_bottom_distance": 0.1,
    "support_xy_distance": 0.7, "support_type": "everywhere", "adhesion_type": "skirt", "skirt_line_count": 1,
    "skirt_gap": 3, "skirt_brim_minimal_length": 100, "brim_width": 5, "brim_line_count": 12,
    "raft_margin": 5, "raft_airgap": 0.3, "raft_surface_layers": 2, "raft_surface_thickness": 0.2,
    "raft_surface_line_width": 0.4, "raft_surface_line_spacing": 0.4, "raft_interface_thickness": 0.3,
    "raft_interface_line_width": 0.8, "raft_interface_line_spacing": 1.6, "raft_base_thickness": 0.3,
    "raft_base_line_width": 0.8, "raft_base_line_spacing": 1.6, "speed_print": 60, "speed_wall_0": 30,
    "speed_travel": 120, "speed_slowdown_layers": 2, "adaptive_layer_height_enabled": "false",
    "magic_spiralize": "false", "material_print_temperature": 200, "material_bed_temperature": 60,
    "retraction_enable": "true", "retraction_amount": 5, "travel_avoid_distance": 0.6, "infill_overlap_mm": 0.04,
    "skin_overlap_mm": 0.02, "min_infill_area": 0, "meshfix_maximum_resolution": 0.05,
    "meshfix_maximum_deviation": 0.025, "z_seam_type": "sharpest_corner", "print_sequence": "all_at_once",
    "machine_start_gcode": "G28", "machine_end_gcode": "M104 S0",
}  # fmt: skip
# What is asked of a slicer beyond the height of its layers, in each one's own words.
_OPTIONS: dict[str, dict[str, list[str]]] = {
    "PrusaSlicer": {
        "support": ["--support-material"],
        "brim": ["--brim-width", "5"],
        "raft": ["--raft-layers", "3"],
        "vase": ["--spiral-vase", "--perimeters", "1", "--top-solid-layers", "0", "--fill-density", "0%"],
        "relative": ["--use-relative-e-distances", "--layer-gcode", "G92 E0"],
        "volumetric": ["--use-volumetric-e"],
        "firmware retraction": ["--use-firmware-retraction"],
        "sparse": ["--fill-density", "8%", "--perimeters", "2", "--fill-pattern", "gyroid"],
        "thick": ["--nozzle-diameter", "0.8", "--extrusion-width", "0.9"],
    },
    "Slic3r": {
        "support": ["--support-material"],
        "brim": ["--brim-width", "5"],
        "raft": ["--raft-layers", "3"],
        "vase": ["--spiral-vase", "--perimeters", "1", "--top-solid-layers", "0", "--fill-density", "0%"],
        "relative": ["--use-relative-e-distances"],
        "volumetric": ["--use-volumetric-e"],
        "firmware retraction": ["--use-firmware-retraction"],
        "line comments": ["--gcode-comments"],
        "sparse": ["--fill-density", "8%", "--perimeters", "2"],
        "thick": ["--nozzle-diameter", "0.8"],
    },
    "CuraEngine": {
        "support": ["support_enable=true"],
        "brim": ["adhesion_type=brim"],
        "raft": ["adhesion_type=raft"],
        "vase": ["magic_spiralize=true", "top_layers=0", "infill_line_distance=0", "wall_line_count=1"],
        "relative": ["relative_extrusion=true"],
        "volumetric": ["machine_gcode_flavor=UltiGCode"],
        "firmware retraction": ["machine_firmware_retract=true"],
        "sparse": ["infill_line_distance=10", "infill_sparse_density=8", "infill_pattern=gyroid"],
        "thick": [
            "machine_nozzle_size=0.8", "line_width=0.8", "wall_line_width=0.8", "wall_line_width_0=0.8",
            "wall_line_width_x=0.8", "skin_line_width=0.8", "infill_line_width=0.8", "skirt_brim_line_width=0.8",
            "support_line_width=0.8",
        ],
    },
}  # fmt: skip


@dataclass(frozen=True)
class Slicing:
    """How a job is made.

    Parameters
    ----------
    slicer : str
        A key of `PROGRAMS`.
    layer_mm : float
    options : tuple of str
        Words of `known_options`: what is printed besides, and how.
    bare : bool
        Whether every comment is taken out afterwards.
    """

    slicer: str
    layer_mm: float = 0.2
    options: tuple[str, ...] = ()
    bare: bool = False

    @property
    def name(self) -> str:
        """What a table calls it."""
        words = [self.slicer, f"{self.layer_mm:g} mm", *self.options, *(["no comments"] if self.bare else [])]
        return ", ".join(words)


def known_options(slicer: str) -> list[str]:
    """Return what can be asked of a slicer."""
    return list(_OPTIONS[slicer])


def installed() -> list[str]:
    """Return the slicers that can be run here."""
    return [
        name
        for name, program in PROGRAMS.items()
        if shutil.which(program) and (name != "CuraEngine" or _definitions() is not None)
    ]


def _definitions() -> Path | None:
    return next((folder for folder in _DEFINITIONS if (folder / "fdmprinter.def.json").is_file()), None)


def make_job(meshes: Sequence[Mesh], how: Slicing, to: Path) -> bool:
    """Slice ordinary objects into a print job, each where its coordinates put it.

    Parameters
    ----------
    meshes : sequence of Mesh
        In millimetres, standing on z = 0, within a bed of 250 mm by 250 mm.
    how : Slicing
    to : Path
        The job; written only when the slicer made one.

    Returns
    -------
    bool
        Whether there is a job: slicers refuse meshes that are too thin or not closed.
    """
    import trimesh

    with tempfile.TemporaryDirectory() as folder:
        inputs = []
        for k, mesh in enumerate(meshes):
            path = Path(folder) / f"object {k}.stl"
            trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).export(path)
            inputs.append(path)
        made = Path(folder) / "job.gcode"
        command = _command(how, inputs, made)
        try:
            subprocess.run(
                command, cwd=folder, check=False, timeout=_MOST_SECONDS, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return False
        if not made.is_file() or made.stat().st_size < 1000:
            return False
        text = made.read_bytes()
        if how.bare:
            text = re.sub(rb"[ \t]*;[^\n]*", b"", text)
        temporary = to.with_suffix(".part")
        temporary.write_bytes(text)
        os.replace(temporary, to)
    return True


def _command(how: Slicing, inputs: list[Path], made: Path) -> list[str]:
    options = [word for option in how.options for word in _OPTIONS[how.slicer][option]]
    names = [str(path) for path in inputs]
    layer = f"{how.layer_mm:g}"
    merge = ["--merge"] if len(names) > 1 else []
    if how.slicer == "PrusaSlicer":
        bed = "0x0,250x0,250x250,0x250"
        command = [PROGRAMS[how.slicer], "--export-gcode", "--dont-arrange", *merge, "--bed-shape", bed]
        return [*command, "--layer-height", layer, "--skirts", "1", *options, "--output", str(made), *names]
    if how.slicer == "Slic3r":
        command = [PROGRAMS[how.slicer], "--dont-arrange", *merge, "--layer-height", layer]
        return [*command, "--filament-diameter", "1.75", *options, "--output", str(made), *names]
    definitions = _definitions()
    assert definitions is not None
    settings = {**{key: str(value) for key, value in _CURA.items()}, "layer_height": layer}
    for option in options:
        key, _, value = option.partition("=")
        settings[key] = value
    given = [word for key, value in settings.items() for word in ("-s", f"{key}={value}")]
    command = [PROGRAMS[how.slicer], "slice", "-j", str(definitions / "fdmprinter.def.json"), *given]
    command += ["-e0", "-j", str(definitions / "fdmextruder.def.json"), *given, "-o", str(made)]
    return [*command, *(word for name in names for word in ("-l", name))]
