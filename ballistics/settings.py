"""Other numbers for a method: each by its dotted name, checked, and what differs from the usual ones."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from ballistics.errors import ParameterError

# A value may be this many times the usual one, or its inverse: within it a comparison stays bounded in time and memory.
_FACTOR = 10.0

Parameters = TypeVar("Parameters")


def numbers(parameters: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted name and the value of every number, or tuple of numbers, of nested dataclasses."""
    for field in fields(parameters):
        value = getattr(parameters, field.name)
        if is_dataclass(value):
            yield from numbers(value, f"{before}{field.name}.")
        elif value is None or isinstance(value, (int, float, tuple)):
            yield f"{before}{field.name}", value


def with_numbers(parameters: Parameters, settings: Mapping[str, str | float]) -> Parameters:
    """Return nested dataclasses with some numbers changed.

    Parameters
    ----------
    parameters : dataclass
        The usual ones.
    settings : mapping of str to str or float
        Dotted name to value. Values of several numbers are given as text, with commas.

    Raises
    ------
    ParameterError
        For a name that does not exist, and for a value that `checked` refuses.
    """
    known = dict(numbers(parameters))
    for name, value in settings.items():
        refuse_unknown(name, known)
        parameters = _replaced(parameters, name.split("."), checked(name, known[name], value))
    return parameters


def refuse_unknown(name: str, known: Mapping[str, Any]) -> None:
    """Refuse a name that no parameter has, and say which may be meant."""
    if name not in known:
        near = [other for other in known if other.split(".")[-1] == name.split(".")[-1]]
        hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(known)}"
        raise ParameterError(f"there is no parameter '{name}'; {hint}")


def differences(usual: Mapping[str, Any], used: Mapping[str, Any]) -> list[str]:
    """Return what differs, as text: ``cells.cell_um 400 instead of 468.75``."""
    return [
        f"{name} {_text(used[name]) if name in used else 'not used'} instead of "
        f"{_text(usual[name]) if name in usual else 'not used'}"
        for name in dict.fromkeys([*usual, *used])
        if usual.get(name) != used.get(name)
    ]


def checked(name: str, usual: Any, value: str | float) -> Any:
    """Return a value of the type of the usual one.

    Parameters
    ----------
    name : str
        Of the parameter, for messages.
    usual : bool, int, float, tuple or None
        The usual value, which decides the type and the limits; None for two places on a scan.
    value : str or float
        What was asked for. Several numbers are text, with commas between them.

    Returns
    -------
    bool, int, float or tuple
        Of the type of ``usual``.

    Raises
    ------
    ParameterError
        When it is no number, not from a tenth to ten times the usual one, not below 1 for a share or a correlation,
        not whole where a whole number is needed, or, of several, not increasing where the usual ones increase.
    """
    if isinstance(usual, tuple):
        parts = str(value).split(",")
        if len(parts) != len(usual):
            raise ParameterError(f"{name} takes {len(usual)} numbers with commas between them, not '{value}'")
        several = tuple(checked(name, u, part) for u, part in zip(usual, parts, strict=True))
        if list(usual) == sorted(usual) and list(several) != sorted(set(several)):
            raise ParameterError(f"the numbers of {name} must increase, as the usual {_text(usual)} do: '{value}'")
        if list(usual) == sorted(usual, reverse=True) and list(several) != sorted(set(several), reverse=True):
            raise ParameterError(f"the numbers of {name} must decrease, as the usual {_text(usual)} do: '{value}'")
        return several
    if usual is None:
        # Two places on a scan, of which there is no usual.
        several = tuple(_number(name, part) for part in str(value).split(","))
        if len(several) != 2 or not all(map(math.isfinite, several)):
            raise ParameterError(f"{name} takes 2 numbers with a comma between them, not '{value}'")
        return several
    if isinstance(usual, bool):
        if str(value) not in ("0", "1"):
            raise ParameterError(f"{name} takes 1 (yes) or 0 (no), not '{value}'")
        return str(value) == "1"
    number = _number(name, value)
    # What is usually not done at all has its limits in its own dataclass.
    if usual and not (math.isfinite(number) and usual / _FACTOR <= number <= usual * _FACTOR):
        raise ParameterError(f"{name} is {value}; it must be from a tenth to ten times the usual {_text(usual)}")
    if usual < 1 <= number:
        raise ParameterError(f"{name} is a share or a correlation; it must be below 1, not {value}")
    if isinstance(usual, int):
        if not number.is_integer():
            raise ParameterError(f"{name} takes a whole number, not {value}")
        return int(number)
    return number


def _number(name: str, value: str | float) -> float:
    try:
        return float(value)
    except ValueError:
        raise ParameterError(f"{name} takes a number, not '{value}'") from None


def _replaced(parameters: Any, path: list[str], value: Any) -> Any:
    if len(path) > 1:
        value = _replaced(getattr(parameters, path[0]), path[1:], value)
    return replace(parameters, **{path[0]: value})


def _text(value: Any) -> str:
    if value is None:
        return "none"
    return ", ".join(f"{v:g}" for v in value) if isinstance(value, tuple) else f"{value:g}"
