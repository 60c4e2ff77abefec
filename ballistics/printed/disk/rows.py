"""The table of a batch of printed parts: one row for each hit of each file, and one for each file without."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ballistics.files import parquet, table_kind, write_csv, written_whole
from ballistics.printed.collection.taxonomy import Taxonomy
from ballistics.printed.disk.results import FileResult
from ballistics.printed.identify.pieces_of_reference import ReferencePieces

SCHEMA = "ballistics/printed-batch/3"
_MOST_NAMED = 50
#: Names and types of the columns, in order.
COLUMNS: dict[str, type] = {
    "file": str,
    "sha256": str,
    "verdict": str,
    "hit": int,
    "hits": int,
    "reference": str,
    "category": str,
    "category_title": str,
    "relation": str,
    "scale": float,
    "mirrored": bool,
    "mirror_symmetric": bool,
    "tied_with": str,
    "query_share": float,
    "reference_share": float,
    "tolerance_mm": float,
    "score": float,
    "threshold": float,
    "component": int,
    "place": str,
    "pieces_together": float,
    "family": int,
    "family_size": int,
    "copy_of": str,
    "copy_relation": str,
    "format": str,
    "unit": str,
    "parts": int,
    "faces": int,
    "extent_x_mm": float,
    "extent_y_mm": float,
    "extent_z_mm": float,
    "geometry_hash": str,
    "slicer": str,
    "slicer_version": str,
    "printer": str,
    "print_profile": str,
    "material": str,
    "nozzle": str,
    "layer_height_mm": float,
    "sliced_at": str,
    "estimated_s": float,
    "filament_mm": float,
    "objects": str,
    "traces": str,
    "profile_fingerprint": str,
    "profile_group": int,
    "findings": str,
    "error": str,
}
# By the number of the file, the name of the reference, the body and the scale: a body may hold a reference twice.
Places = dict[tuple[int, str, int, float], dict[str, Any]]


def write_printed_rows(
    path: Path,
    files: Sequence[FileResult],
    taxonomy: Taxonomy,
    metadata: Mapping[str, Any],
    pieces: Sequence[ReferencePieces],
) -> None:
    """Write the table, whole or not at all; the same files give the same bytes.

    Hits on a reference of which there are different pieces say which place theirs is (`PlacedPiece.place`), and how
    much of the reference the pieces cover together.

    A CSV has no place for metadata: it goes to a file beside it, ``NAME.csv-metadata.json``.

    Parameters
    ----------
    path : Path
        Ends in ``.parquet`` or ``.csv``; replaced when it exists.
    files : sequence of FileResult
        In the order of the rows.
    taxonomy : Taxonomy
        Gives the categories of hits their titles.
    metadata : mapping
        How the table was made, as JSON can hold it.
    pieces : sequence of ReferencePieces
        References of which the files hold different pieces.

    Raises
    ------
    WriteError
        When the file cannot be written.
    """
    text = json.dumps({"schema": SCHEMA, **metadata}, sort_keys=True, ensure_ascii=False, allow_nan=False)
    places: Places = {
        (piece.file, held.name, piece.component, piece.scale): {"place": piece.place, "pieces_together": held.together}
        for held in pieces
        for piece in held.placed
    }
    rows = list(_rows(files, taxonomy, places))
    with written_whole(path) as temporary:
        if table_kind(path) == ".csv":
            with open(temporary, "w", newline="", encoding="utf-8", errors="replace") as file:
                write_csv(file, list(COLUMNS), ([row[name] for name in COLUMNS] for row in rows))
        else:
            _write_parquet(temporary, rows, text)
    if table_kind(path) == ".csv":
        with written_whole(path.with_name(f"{path.name}-metadata.json")) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")


def _rows(files: Sequence[FileResult], taxonomy: Taxonomy, places: Places) -> Iterator[dict[str, Any]]:
    for place, file in enumerate(files):
        kept, hits = file.kept, file.kept["hits"]
        x, y, z = kept["extent_mm"]
        common = dict.fromkeys(COLUMNS) | {
            "file": file.name,
            "sha256": file.sha256,
            "verdict": kept["verdict"],
            "hits": len(hits),
            "score": kept["best_score"],
            "threshold": kept["threshold"],
            "family": file.copy.family or None,
            "family_size": file.copy.size,
            "copy_of": file.copy.of,
            "copy_relation": file.copy.relation,
            "format": kept["format"],
            "unit": kept["unit"],
            "parts": kept["parts"],
            "faces": kept["faces"],
            "extent_x_mm": x,
            "extent_y_mm": y,
            "extent_z_mm": z,
            "geometry_hash": kept["keys"]["exact"] if kept["keys"] else None,
            **_job_columns(file),
            "findings": "; ".join(kept["findings"]),
            "error": kept["error"],
        }
        if not hits:
            yield common
        for number, hit in enumerate(hits, 1):
            own = places.get((place, hit["reference"], hit["component"], hit["scale"]), {})
            yield common | hit | own | {"hit": number, "category_title": taxonomy.title(hit["category"])}


def _job_columns(file: FileResult) -> dict[str, Any]:
    """Return what the print jobs in a file say; of several jobs, each different value once."""
    if not file.jobs:
        return {}

    def each(values: Iterable[str]) -> str:
        return "; ".join(dict.fromkeys(value for value in values if value))

    def said(word: str) -> str:
        return each(job.said[word].value for job in file.jobs if word in job.said)

    first = file.jobs[0]
    times = [job.estimated_s for job in file.jobs if job.estimated_s is not None]
    filaments = [job.filament_mm for job in file.jobs if job.filament_mm is not None]
    return {
        "slicer": each(job.slicer for job in file.jobs),
        "slicer_version": each(job.slicer_version for job in file.jobs),
        "printer": said("printer") or said("printer profile"),
        "print_profile": said("print profile"),
        "material": said("material"),
        "nozzle": said("nozzle"),
        "layer_height_mm": first.habits.layer_height_mm,
        "sliced_at": said("sliced at"),
        "estimated_s": sum(times) if times else None,
        "filament_mm": sum(filaments) if filaments else None,
        "objects": each(name for job in file.jobs for name in job.objects[:_MOST_NAMED]),
        "traces": each(f"{t.kind}: {t.value} ({t.where})" for job in file.jobs for t in job.traces[:_MOST_NAMED]),
        "profile_fingerprint": each(job.fingerprint for job in file.jobs),
        "profile_group": file.profile_group,
    }


def _write_parquet(path: Path, rows: Sequence[Mapping[str, Any]], metadata: str) -> None:
    pq = parquet.module()
    import pyarrow as pa

    types = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    fields = [pa.field(name, types[kind]) for name, kind in COLUMNS.items()]
    schema = pa.schema(fields, metadata={b"ballistics": metadata})
    columns = {name: [None if row[name] == "" else row[name] for row in rows] for name in COLUMNS}
    with pq.ParquetWriter(path, schema, **parquet.OPTIONS) as writer:
        writer.write_table(pa.table(columns, schema=schema))
        parquet.seal(writer)
    parquet.close_seal(path)
