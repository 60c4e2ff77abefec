"""Where the real data is, and a clear word about what a test misses when it is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# No deadline: a busy machine is not a failure. The same examples every time: a red run can be repeated.
settings.register_profile("ballistics", deadline=None, derandomize=True)
settings.load_profile("ballistics")

DATA = Path(os.environ.get("BALLISTICS_DATA", Path(__file__).parents[2] / "shared" / "data"))


def data_folder(name: str) -> Path:
    """Return a folder of the real data, or skip the test and say what it misses."""
    folder = DATA / name
    if not folder.exists():
        pytest.skip(f"no '{name}' in BALLISTICS_DATA or ../shared/data: not tested on these real files")
    return folder


@pytest.fixture(scope="session")
def fadul() -> Path:
    """Folder of the 40 Fadul breech-face scans."""
    return data_folder("breech-faces/fadul")


@pytest.fixture(scope="session")
def topmatch() -> Path:
    """Folder of the 11 TopMatch breech-face scans."""
    return data_folder("breech-faces/topmatch")


@pytest.fixture(scope="session")
def raw_scans() -> Path:
    """Folder of the two raw scans of whole primers."""
    return data_folder("breech-faces/raw")


@pytest.fixture(scope="session")
def formats() -> Path:
    """Folder of X3P and al3d files of many makers."""
    return data_folder("formats")


@pytest.fixture(scope="session")
def scores() -> Path:
    """Folder of per-pair scores of published studies."""
    return data_folder("scores")


@pytest.fixture(scope="session")
def meshes() -> Path:
    """Folder of ordinary meshes, visual game props and print jobs."""
    return data_folder("meshes")
