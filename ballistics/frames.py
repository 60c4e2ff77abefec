"""Rows of results as a pandas data frame, where pandas is installed."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ballistics.errors import ParameterError

if TYPE_CHECKING:
    from pandas import DataFrame


def data_frame(rows: Iterable[Mapping[str, Any]]) -> DataFrame:
    """Return a data frame with a column for each key, in the order of the first row.

    Parameters
    ----------
    rows : iterable of mapping
        All with the same keys.

    Raises
    ------
    ParameterError
        When pandas is not installed.

    Examples
    --------
    >>> data_frame([{"scan": "a.x3p", "cells": 12}]).shape
    (1, 2)
    """
    found: DataFrame = _pandas().DataFrame([dict(row) for row in rows])
    return found


def read_frame(path: Path) -> DataFrame:
    """Return a CSV table that a batch wrote as a data frame; errors as of `data_frame`."""
    found: DataFrame = _pandas().read_csv(path)
    return found


def _pandas() -> Any:
    try:
        return importlib.import_module("pandas")
    except ImportError as error:
        raise ParameterError("data frames need the extra 'tables': pip install 'ballistics[tables]'") from error
