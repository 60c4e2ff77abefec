"""Small tables of compared pairs, as `ballistics batch` writes them."""

from __future__ import annotations

from hashlib import sha256

from ballistics.pairs.results import write_results
from ballistics.pairs.rows import empty_row

KIND = "breech face"
METADATA = {
    "design": "all pairs",
    "mark_kind": KIND,
    "method": "made up",
    "method_version": "1",
    "parameters": {},
    "parameters_sha256": "0" * 64,
    "references": ["doi:10.6028/jres.120.008"],
    "versions": {"numpy": "2"},
    "scans": [8],
    "left_out": 1,
    "pairs": 0,
}


def digest(name):
    return sha256(name.encode()).hexdigest()


def row(a, b, count=None, insufficient="", error="", **more):
    return (
        empty_row(KIND)
        | {"scan_a": a, "scan_b": b, "sha256_a": digest(a), "sha256_b": digest(b) if b else "", "mark_kind": KIND}
        | {"mark_sha256_a": "", "mark_sha256_b": "", "findings_a": "", "findings_b": "", "error": error}
        | {"count": count, "insufficient": insufficient}
        | more
    )


def write(path, rows, **metadata):
    write_results(path, KIND, rows, METADATA | metadata)
    return path
