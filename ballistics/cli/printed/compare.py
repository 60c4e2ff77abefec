"""``ballistics printed compare``: do two files have geometry in common?"""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from ballistics.cli.printed.options import answer_options, unit_option

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(name="compare")
@click.argument("a", type=_FILE)
@click.argument("b", type=_FILE)
@answer_options
@unit_option("Take the numbers of both files as this unit.")
def command(
    a: Path, b: Path, report: Path | None, without_3d: bool, as_json: bool, unit: str | None, overwrite: bool
) -> None:
    """Register the parts of A to those of B: how much of A does B explain, and how much of B is present in A?

    A hit is a lead for an examiner: no opinion, no weight of evidence.

    Exit code 0: compared, whatever the verdict; 2: an error, e.g. a file that cannot be read.
    """
    from ballistics.cli.printed.identify import answer, identified
    from ballistics.cli.terminal import refuse_output
    from ballistics.errors import ReadError
    from ballistics.printed import Collection, Taxonomy, read_parts, signature_of
    from ballistics.reports import SearchedCollection

    refuse_output(report, (a, b), overwrite)
    other = read_parts(b, unit=unit)
    collection = Collection()
    for number, part in enumerate(other.parts, 1):
        name = f"{b.name}, part {number}" if len(other.parts) > 1 else b.name
        collection.enrol(signature_of(part), name)
    digest = other.provenance.inputs["file"] if other.provenance is not None else ""
    searched = SearchedCollection(collection, Taxonomy.load(), digest, b.name)
    found = identified(a.name, a, searched, unit)
    if found.found is None:
        raise ReadError(found.described.reason)
    answer([found], searched, report, turnable=not without_3d, as_json=as_json)
