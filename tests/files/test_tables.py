"""Tables: what is said where Parquet cannot be written."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ballistics.errors import ParameterError
from ballistics.files import table_kind


def test_without_pyarrow_a_parquet_table_is_refused_before_the_work_and_csv_is_not(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ParameterError, match=r"extra 'tables'.*\.csv"):
        table_kind(Path("result.parquet"))
    assert table_kind(Path("result.csv")) == ".csv"
