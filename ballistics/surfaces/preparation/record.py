"""How a mark was prepared, by parameter: equal for all marks that were prepared alike."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ballistics.errors import ParameterError
from ballistics.findings import Finding
from ballistics.surfaces.mark_types import OF_SCAN_SPACING, mark_type
from ballistics.surfaces.surface import Mark


def preparation_parameters(mark: Mark) -> dict[str, Any]:
    """Return how a mark was prepared, by parameter: the same for all marks prepared alike.

    The region of a single scan is no parameter of the method, whether it was found or given; it is in the mark's steps.

    Raises
    ------
    ParameterError
        When the mark has no provenance.
    """
    if mark.provenance is None:
        raise ParameterError("a mark has no provenance: an LR needs to know how it was prepared")
    parameters: dict[str, Any] = {
        "preparation / version": mark.provenance.version,
        "preparation / surface": mark.surface_kind,
    }
    usual_um = mark_type(mark.kind).spacing_um
    if mark.kind in OF_SCAN_SPACING:
        # Two scans of one instrument differ by a part in a thousand. Instruments are said to have 0.645 or 1.25 µm:
        # without a little more, such would be rounded now up, now down.
        if mark.insufficient is None and abs(mark.spacing_um - usual_um) > 0.01 * usual_um:
            parameters["preparation / spacing_um"] = float(f"{1.004 * mark.spacing_um:.2g}")
    elif mark.insufficient is None and mark.spacing_um != usual_um:
        parameters["preparation / spacing_um"] = mark.spacing_um
    for number, step in enumerate(mark.steps, 1):
        plain = {name: value for name, value in step.parameters.items() if name != "mask"}
        parameters.update(flat(f"preparation / {number} {step.name}", plain))
    return parameters


def unalike(a: Mark, b: Mark) -> Finding | None:
    """Return a serious finding when two marks were prepared by different steps or parameters.

    Marks without provenance, as arrays made by a caller are, say nothing of their preparation.

    Examples
    --------
    >>> import numpy as np
    >>> from ballistics.surfaces.preparation.preparing import prepare
    >>> from ballistics.surfaces.surface import Surface
    >>> waves = np.sin(np.add.outer(np.arange(200.0), np.arange(200.0)))
    >>> one = prepare(Surface(waves, (6.25, 6.25)), region=np.ones((200, 200), bool))
    >>> unalike(one, one)
    """
    if a.provenance is None or b.provenance is None:
        return None
    how = [preparation_parameters(mark) for mark in (a, b)]
    differing = [name for name in sorted({*how[0], *how[1]}) if how[0].get(name) != how[1].get(name)]
    if not differing:
        return None
    name = differing[0]
    if name == "preparation / spacing_um":
        # The usual spacing of a kind of mark is no parameter; a reader is told it all the same.
        said = [f"{value:.3g} µm" for value in sorted((a.spacing_um, b.spacing_um))]
        what = "the spacing of their points"
    else:
        # Sorted, so that exchanged marks give the same words.
        said = sorted(_in_words(values, name) for values in how)
        what = f"'{name}'"
    more = f", and {len(differing) - 1} more" if len(differing) > 1 else ""
    return Finding(
        "prepared-unalike",
        "serious",
        f"the marks were prepared in different ways: {what} is {' and '.join(said)}{more}",
        "compared as they are, without weight of evidence; prepare both by the same steps",
    )


def _in_words(values: Mapping[str, Any], name: str) -> str:
    return json.dumps(values[name], ensure_ascii=False) if name in values else "not used"


def flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield nested parameters one by one, so that a refusal names the one that differs."""
    if isinstance(value, Mapping):
        if not value:
            yield name, {}
        for key, inner in value.items():
            yield from flat(f"{name} / {key}" if name else str(key), inner)
    else:
        yield name, list(value) if isinstance(value, tuple) else value
