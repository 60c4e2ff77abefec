"""The locks: the smaller hold what the largest does, and each line has hashes."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

LOCKS = Path(__file__).parents[1] / "locks"


@pytest.fixture(scope="module")
def wheels():
    spec = importlib.util.spec_from_file_location("wheels", LOCKS / "wheels.py")
    module = sys.modules["wheels"] = importlib.util.module_from_spec(spec)  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["wheels"]


@pytest.mark.parametrize("name", ["base.txt", "all.txt"])
def test_what_a_smaller_lock_holds_was_tested(wheels, name):
    # Not the marker: a package that development needs for a second reason is needed on more systems there.
    tested, held = (
        {(pin.requirement, pin.hashes) for pin in wheels.pins(LOCKS / lock)} for lock in ("development.txt", name)
    )
    assert len(held) > 30
    assert held <= tested


def test_every_pin_is_found_and_has_hashes(wheels):
    text = (LOCKS / "development.txt").read_text("utf-8")
    found = list(wheels.pins(LOCKS / "development.txt"))
    assert len(found) == sum(1 for line in text.splitlines() if line[:1].isalnum())
    assert all(pin.hashes.startswith("--hash=sha256:") for pin in found)


def test_a_pin_is_for_the_systems_that_its_marker_names(wheels):
    colorama = next(pin for pin in wheels.pins(LOCKS / "base.txt") if pin.requirement.startswith("colorama=="))
    assert colorama.wanted("3.12", "windows")
    assert not colorama.wanted("3.12", "linux")
    old, new = (pin for pin in wheels.pins(LOCKS / "base.txt") if pin.requirement.startswith("numpy=="))
    assert old.wanted("3.11", "macos") != new.wanted("3.11", "macos")


def test_no_address_of_a_registry_stands_in_a_lock():
    for lock in LOCKS.glob("*.txt"):
        assert "://" not in lock.read_text("utf-8")
