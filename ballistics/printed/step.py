"""Reads STEP files of CAD programs through ``cascadio``, in a process of its own that may crash or be stopped."""

from __future__ import annotations

import dataclasses
import importlib.util
import io
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import BinaryIO

from ballistics.errors import CorruptFileError, HostileFileError, UnsupportedFormatError
from ballistics.printed.bounds import text_of
from ballistics.printed.content import MeshContent
from ballistics.printed.gltf import read_gltf
from ballistics.surfaces.binary import file_size
from ballistics.surfaces.surface import Finding

_FILE_LIMIT_BYTES = 256 << 20
_SECONDS = 120
_MEMORY_BYTES = 8 << 30
# Triangles lie within 0.05 mm of the true surface and turn by at most 0.3 rad.
_DEVIATION_MM = 0.05
_TURN_RAD = 0.3

_CHILD = """
import sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[3]), int(sys.argv[3])))
    resource.setrlimit(resource.RLIMIT_CPU, (int(sys.argv[4]), int(sys.argv[4])))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
except ImportError:
    pass
import cascadio
sys.exit(cascadio.step_to_glb(sys.argv[1], sys.argv[2], float(sys.argv[5]), float(sys.argv[6]), tol_relative=False))
"""


def read_step(file: BinaryIO, *, face_limit: int) -> MeshContent:
    """Read a STEP file as triangles; it states its own unit.

    Parameters
    ----------
    file : binary file
        Open at its start.
    face_limit : int
        Most faces that are read.

    Raises
    ------
    CorruptFileError, HostileFileError, UnsupportedFormatError
        See the messages; the last also when the extra ``step`` is not installed.

    Notes
    -----
    ISO 10303-21. OpenCASCADE, behind ``cascadio``, is a large C++ program that was not written for hostile files: it
    runs in a process of its own with bounded time and, where the system allows, memory.
    """
    if importlib.util.find_spec("cascadio") is None:
        raise UnsupportedFormatError("STEP files need the extra 'step': pip install 'ballistics[step]'")
    size = file_size(file)
    if size > _FILE_LIMIT_BYTES:
        raise HostileFileError(f"the file has {size} bytes; STEP files of more than {_FILE_LIMIT_BYTES} are refused")
    data = file.read()
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.step", Path(folder) / "out.glb"
        source.write_bytes(data)
        arguments = [str(source), str(target), _MEMORY_BYTES, _SECONDS, _DEVIATION_MM, _TURN_RAD]
        try:
            done = subprocess.run(
                [sys.executable, "-I", "-c", _CHILD, *map(str, arguments)],
                capture_output=True,
                timeout=2 * _SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise HostileFileError(f"the STEP file was not read within {2 * _SECONDS} s") from None
        if done.returncode or not target.exists():
            raise CorruptFileError(f"OpenCASCADE cannot read the STEP file (code {done.returncode})")
        content = read_gltf(io.BytesIO(target.read_bytes()), face_limit=face_limit)
    finding = Finding("tessellated", "note", "smooth surfaces were turned into triangles", f"within {_DEVIATION_MM} mm")
    return dataclasses.replace(
        content, format="STEP", metadata={"header": _header(data)}, findings=(*content.findings, finding)
    )


def _header(data: bytes) -> str:
    """Return the header section: name, author and program, as the file states them."""
    head = data[:16384]
    start, end = head.find(b"HEADER;"), head.find(b"ENDSEC;")
    return text_of(head[start + 7 : end], 1000) if 0 <= start < end else ""
