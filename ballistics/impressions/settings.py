"""Other parameters for a comparison: each number by its name, checked, and what differs from the usual ones."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from ballistics.errors import ParameterError
from ballistics.impressions.mark_parameters import MarkParameters

# A value may be this many times the usual one, or its inverse: within it a comparison stays bounded in time and memory.
_FACTOR = 10.0


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
        For a name that does not exist, and for a value that is no number, not from a tenth to ten times the usual one,
        not below 1 for a share or a correlation, not whole where a whole number is needed, or, of several, not
        increasing where the usual ones increase.

    Examples
    --------
    >>> from ballistics.impressions import MARK_PARAMETERS
    >>> other = with_settings(MARK_PARAMETERS["breech face"], {"cells.cell_um": 400})
    >>> other.cells.cell_um, other.cells.angle_step_deg
    (400.0, 3.0)
    """
    known = dict(_numbers(parameters))
    for name, value in settings.items():
        if name not in known:
            near = [other for other in known if other.split(".")[-1] == name.split(".")[-1]]
            hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(known)}"
            raise ParameterError(f"there is no parameter '{name}'; {hint}")
        parameters = _replaced(parameters, name.split("."), _checked(name, known[name], value))
    return parameters


def changes(usual: MarkParameters, used: MarkParameters) -> list[str]:
    """Return what differs, as text: ``cells.cell_um 400 instead of 468.75``."""
    before, after = dict(_numbers(usual)), dict(_numbers(used))
    return [
        f"{name} {_text(after[name]) if name in after else 'not used'} instead of "
        f"{_text(before[name]) if name in before else 'not used'}"
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]


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


def _checked(name: str, usual: Any, value: str | float) -> Any:
    if isinstance(usual, tuple):
        parts = str(value).split(",")
        if len(parts) != len(usual):
            raise ParameterError(f"{name} takes {len(usual)} numbers with commas between them, not '{value}'")
        numbers = tuple(_checked(name, u, part) for u, part in zip(usual, parts, strict=True))
        if list(usual) == sorted(usual) and list(numbers) != sorted(set(numbers)):
            raise ParameterError(f"the numbers of {name} must increase, as the usual {_text(usual)} do: '{value}'")
        if list(usual) == sorted(usual, reverse=True) and list(numbers) != sorted(set(numbers), reverse=True):
            raise ParameterError(f"the numbers of {name} must decrease, as the usual {_text(usual)} do: '{value}'")
        return numbers
    try:
        number = float(value)
    except ValueError:
        raise ParameterError(f"{name} takes a number, not '{value}'") from None
    if not math.isfinite(number) or not usual / _FACTOR <= number <= usual * _FACTOR:
        raise ParameterError(f"{name} is {value}; it must be from a tenth to ten times the usual {_text(usual)}")
    if usual < 1 <= number:
        raise ParameterError(f"{name} is a share or a correlation; it must be below 1, not {value}")
    if isinstance(usual, int):
        if not number.is_integer():
            raise ParameterError(f"{name} takes a whole number, not {value}")
        return int(number)
    return number


def _text(value: Any) -> str:
    return ", ".join(f"{v:g}" for v in value) if isinstance(value, tuple) else f"{value:g}"
