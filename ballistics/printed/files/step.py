"""Reads STEP files of CAD programs through ``cascadio``, in a process of its own that may crash or be stopped."""

from __future__ import annotations

import dataclasses
import importlib.util
import io
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import BinaryIO

from ballistics.errors import CorruptFileError, HostileFileError, UnsupportedFormatError
from ballistics.files import file_size
from ballistics.findings import Finding
from ballistics.printed.content.bounds import text_of
from ballistics.printed.content.mesh_content import UNIT_MM, MeshContent
from ballistics.printed.files.gltf import read_gltf

_FILE_LIMIT_BYTES = 256 << 20
_SECONDS = 120
_MEMORY_BYTES = 8 << 30
# Triangles lie within 0.05 mm of the true surface and turn by at most 0.3 rad.
_DEVIATION_MM = 0.05
_TURN_RAD = 0.3

_NUMBER = re.compile(r"\s*#(\d{1,9})\s*=")
_CONTEXT_UNITS = re.compile(r"GLOBAL_UNIT_ASSIGNED_CONTEXT\s*\(\s*\(([#\d,\s]{1,400})\)")
_MOST_STATEMENTS, _STATEMENT_BYTES = 10_000, 2_000
_SI = re.compile(r"SI_UNIT\s*\(\s*(\$|\.\w+\.)\s*,\s*\.METRE\.")
_CONVERSION = re.compile(r"CONVERSION_BASED_UNIT\s*\([^#]*#(\d{1,9})")
_MEASURE = re.compile(
    r"MEASURE(?:_WITH_UNIT)?\s*\(\s*(?:\w+\s*\()?\s*([\d.]+(?:E[-+]?\d+)?)\s*\)?\s*,\s*#(\d{1,9})", re.I
)
_PREFIXES = {
    "$": 1.0, ".KILO.": 1e3, ".HECTO.": 1e2, ".DECA.": 10.0, ".DECI.": 0.1, ".CENTI.": 0.01, ".MILLI.": 1e-3,
    ".MICRO.": 1e-6, ".NANO.": 1e-9,
}  # fmt: skip

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
    findings = [*content.findings]
    findings.append(
        Finding("tessellated", "note", "smooth surfaces were turned into triangles", f"within {_DEVIATION_MM} mm")
    )
    unit = _unit(data, findings)
    # OpenCASCADE returns metres, whatever the file's unit.
    scale = UNIT_MM["metre"] / UNIT_MM[unit]
    items = tuple(dataclasses.replace(item, vertices=item.vertices * scale) for item in content.items)
    return dataclasses.replace(
        content, format="STEP", items=items, unit=unit, metadata={"header": _header(data)}, findings=tuple(findings)
    )


def _unit(data: bytes, findings: list[Finding]) -> str:
    """Return the unit of length that the file announces (ISO 10303-41: the global units of its contexts)."""
    lengths_of = _statements(data, b"LENGTH_")
    instances = {int(found[1]): text for text in lengths_of if (found := _NUMBER.match(text))}
    contexts = _statements(data, b"GLOBAL_UNIT_ASSIGNED_CONTEXT")
    # Schemas before AP214 name no context; then every unit of length counts.
    lists = [found[1] for text in contexts if (found := _CONTEXT_UNITS.search(text))]
    chosen = [int(n) for text in lists for n in re.findall(r"#(\d{1,9})", text)] or list(instances)
    lengths = [_millimetres(instances, n) for n in dict.fromkeys(chosen) if "LENGTH_UNIT" in instances.get(n, "")]
    names = list(dict.fromkeys(_name(length) for length in lengths))
    if names in ([], [""]):
        message = f"the unit of length is {f'{lengths[0]:.6g} mm' if lengths and lengths[0] else 'not stated'}"
        findings.append(Finding("unit-converted", "note", message, "converted to millimetres by OpenCASCADE"))
    elif len(names) > 1:
        message = f"the contexts of the file state {', '.join(name or 'another unit' for name in names)}"
        findings.append(Finding("units-disagree", "warning", message, "each taken in its own unit by OpenCASCADE"))
    return next((name for name in names if name), "millimetre")


def _statements(data: bytes, word: bytes) -> list[str]:
    """Return the statements that hold a word, as far as they are short and few."""
    statements: list[str] = []
    end = 0
    for found in re.finditer(re.escape(word), data):
        at = found.start()
        if at < end:
            continue
        if len(statements) == _MOST_STATEMENTS:
            break
        start = max(data.rfind(b";", max(0, at - _STATEMENT_BYTES), at) + 1, at - _STATEMENT_BYTES, 0)
        end = data.find(b";", at, at + _STATEMENT_BYTES)
        end = end if end >= 0 else at + _STATEMENT_BYTES
        statements.append(data[start:end].decode("latin-1"))
    return statements


def _millimetres(instances: dict[int, str], number: int, depth: int = 0) -> float:
    """Return the length of a unit, 0 when it is not known."""
    body = instances.get(number, "")
    if si := _SI.search(body):
        return 1000.0 * _PREFIXES.get(si[1], 0.0)
    measure = _CONVERSION.search(body) if depth < 4 else None
    factor = _MEASURE.search(instances.get(int(measure[1]), "")) if measure else None
    return float(factor[1]) * _millimetres(instances, int(factor[2]), depth + 1) if factor else 0.0


def _name(length_mm: float) -> str:
    """Return the name of a unit by its length, empty when it has none here."""
    return next((name for name, mm in UNIT_MM.items() if abs(mm - length_mm) <= 1e-6 * mm), "")


def _header(data: bytes) -> str:
    """Return the header section: name, author and program, as the file states them."""
    head = data[:16384]
    start, end = head.find(b"HEADER;"), head.find(b"ENDSEC;")
    return text_of(head[start + 7 : end], 1000) if 0 <= start < end else ""
