"""Every public function of three or more parameters says what it takes: checked by numpydoc's own validation."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from numpydoc.validate import validate

import ballistics
import ballistics_kernels

# PR01: a parameter is not described; PR02: what is described is no parameter; PR03: another order; PR10: no space
# before the colon; GL07: sections in another order than numpydoc's; SS03: the summary ends without a full stop.
CHECKED = {"PR01", "PR02", "PR03", "PR10", "GL07", "SS03"}
# Below this a signature with its first sentence says all.
LEAST_PARAMETERS = 3
# By name only: what is in them is imported when they are tested, not when the tests are collected.
ROOMS = [
    f"{package.__name__}.{found.name}"
    for package in (ballistics, ballistics_kernels)
    for found in pkgutil.iter_modules(package.__path__)
]


def modules(room: str) -> Iterator[ModuleType]:
    """Yield a room and all modules in it, or a module that is no room."""
    top = importlib.import_module(room)
    yield top
    for found in pkgutil.walk_packages(getattr(top, "__path__", []), f"{room}."):
        if not found.name.startswith("ballistics.store.revisions."):  # what Alembic runs, in a place that it prepares
            yield importlib.import_module(found.name)


def functions(module: ModuleType) -> Iterator[Any]:
    """Yield the public functions of a module, and the public methods of its public classes, without what wraps them."""
    for name, value in vars(module).items():
        value = getattr(value, "py_func", value)  # of a kernel
        if name[0] == "_" or getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(value):
            yield inspect.unwrap(value)
        elif inspect.isclass(value):
            for key, member in vars(value).items():
                method = inspect.unwrap(getattr(member, "__func__", member))
                if key[0] != "_" and inspect.isfunction(method):
                    yield method


def faults(function: Any) -> list[str]:
    """Return what a function's docstring lacks; nothing for few parameters, if there is a docstring."""
    name = f"{function.__module__}.{function.__qualname__}"
    if not inspect.getdoc(function):
        return [f"{name}: no docstring"]
    if len([p for p in inspect.signature(function).parameters if p not in ("self", "cls")]) < LEAST_PARAMETERS:
        return []
    return [f"{name}: {code} {text}" for code, text in validate(name)["errors"] if code in CHECKED]


def undescribed(length_um: float, width_um: float, turn_deg: float) -> float:
    """Return a number.

    Parameters
    ----------
    width_um, length_um : float
        Of a rectangle.
    """
    return length_um * width_um * turn_deg


@pytest.mark.parametrize("room", ROOMS)
def test_functions_of_three_or_more_parameters_describe_them(room):
    found = [fault for module in modules(room) for function in functions(module) for fault in faults(function)]
    assert found == [], "\n".join(found)


def test_the_functions_and_what_they_lack_are_found():
    assert len([f for room in ROOMS if ".cli" not in room for m in modules(room) for f in functions(m)]) > 900
    lacks = " ".join(faults(undescribed))
    assert "PR01" in lacks
    assert "turn_deg" in lacks
    assert not faults(faults)
    assert "no docstring" in " ".join(faults(test_functions_of_three_or_more_parameters_describe_them))
