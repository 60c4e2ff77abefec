"""Other parameters for a comparison of impressions: each number by its name, checked, and what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from ballistics.impressions.mark_parameters import MarkParameters
from ballistics.settings import checked, differences, refuse_unknown


def with_settings(parameters: MarkParameters, settings: Mapping[str, str | float]) -> MarkParameters:
    """Return parameters with some numbers changed.

    Parameters
    ----------
    parameters : MarkParameters
        The usual ones, of a kind of mark.
    settings : mapping of str to str or float
        Name to value, e.g. ``cells.cell_um``, ``registration.rim_step_um``, ``minimum_cells``,
        ``rules.convergence.displacement_um``. Values of several numbers are given as text, with commas.

    Raises
    ------
    ParameterError
        For a name that does not exist, and for a value that `ballistics.settings.checked` refuses.

    Examples
    --------
    >>> from ballistics.impressions import MARK_PARAMETERS
    >>> other = with_settings(MARK_PARAMETERS["breech face"], {"cells.cell_um": 400})
    >>> other.cells.cell_um, other.cells.angle_step_deg
    (400.0, 3.0)
    """
    known = dict(_numbers(parameters))
    for name, value in settings.items():
        refuse_unknown(name, known)
        parameters = _replaced(parameters, name.split("."), checked(name, known[name], value))
    return parameters


def changes(usual: MarkParameters, used: MarkParameters) -> list[str]:
    """Return what differs, as text: ``cells.cell_um 400 instead of 468.75``."""
    return differences(dict(_numbers(usual)), dict(_numbers(used)))


def _numbers(parameters: MarkParameters) -> Iterator[tuple[str, Any]]:
    """Yield the name and the value of every number."""
    for part in fields(parameters):
        value = getattr(parameters, part.name)
        if is_dataclass(value):
            yield from ((f"{part.name}.{field.name}", getattr(value, field.name)) for field in fields(value))
        elif isinstance(value, int):
            yield part.name, value
    for name, rule in parameters.rules.items():
        for field in fields(rule.thresholds):
            yield f"rules.{name}.{field.name}", getattr(rule.thresholds, field.name)


def _replaced(parameters: MarkParameters, path: list[str], value: Any) -> MarkParameters:
    changed: dict[str, Any]
    if path[0] == "rules":
        rule = parameters.rules[path[1]]
        thresholds: Any = replace(rule.thresholds, **{path[2]: value})
        changed = {"rules": {**parameters.rules, path[1]: replace(rule, thresholds=thresholds)}}
    elif len(path) == 1:
        changed = {path[0]: value}
    else:
        changed = {path[0]: replace(getattr(parameters, path[0]), **{path[1]: value})}
    return replace(parameters, **changed)
