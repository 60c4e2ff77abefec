"""Where the real data is, and a clear word about what a test misses when it is absent."""

from __future__ import annotations

import functools
import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import property_tests
import pytest
from hypothesis import settings

# Workers fill the cores. More threads of BLAS only wait for each other, burning time: more than half of
# what tests of evidence cost. Before NumPy is imported; processes that tests start inherit it.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

# No deadline: a busy machine is not a failure. The same examples every time: a red run can be repeated.
settings.register_profile(
    "ballistics",
    deadline=None,
    derandomize=True,
    max_examples=property_tests.OFTEN if property_tests.IS_OFTEN else property_tests.FAST,
)
settings.load_profile("ballistics")

DATA = Path(os.environ.get("BALLISTICS_DATA", Path(__file__).parents[2] / "shared" / "data"))


_SHARED = "BALLISTICS_TESTS_SHARED"


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder that all workers of this run share; they inherit the environment."""
    if _SHARED not in os.environ:
        os.environ[_SHARED] = tempfile.mkdtemp(prefix="ballistics-tests-")
        config.add_cleanup(lambda: shutil.rmtree(os.environ.pop(_SHARED), ignore_errors=True))
    # Of what is imported and collected nothing is garbage; to look for it again and again costs 5 s a worker.
    gc.disable()


def pytest_collection_finish() -> None:
    """Look for garbage from here on, but not among what was collected."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the kernels: each file compiles its own; two workers at whole comparisons would compile all twice."""
    items.sort(key=lambda item: Path(item.path).parent.name != "kernels")


def shared_folder() -> Path:
    """Return the folder that all workers of this run share; it is empty when the run begins."""
    return Path(os.environ[_SHARED])


def data_folder(name: str) -> Path:
    """Return a folder of the real data, or skip the test and say what it misses."""
    folder = DATA / name
    if not folder.exists():
        pytest.skip(f"no '{name}' in BALLISTICS_DATA or ../shared/data: not tested on these real files")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _passphrases_are_stretched_once() -> Iterator[None]:
    """Stretch a passphrase for a key file once: it costs 0.4 s on purpose, and every command opens a key anew."""
    from ballistics.records import keys

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "_stretched", functools.cache(keys._stretched))
        yield


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


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One headless Chromium for all pages that are opened in it."""
    from browser_pages import started_browser

    driver = started_browser(tmp_path_factory.mktemp("profile"))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture(scope="session")
def postgresql_port() -> Iterator[int]:
    """Port of a real PostgreSQL server, started for the tests; skipped with a word where there is none."""
    from postgresql_server import postgresql_server

    with postgresql_server() as port:
        yield port


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def both_databases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Run a module's tests on SQLite, and again on PostgreSQL."""
    from databases import used

    port = request.getfixturevalue("postgresql_port") if request.param == "postgresql" else None
    with used(port, tmp_path_factory.mktemp("config")) as databases:
        yield databases
