"""The truth table and the file of finished rows: what is read, what is refused, what a stop leaves."""

from __future__ import annotations

import pytest

from ballistics.errors import CorruptFileError, ParameterError, ReadError
from ballistics.files.rows_file import RowsFile
from ballistics.studies.scan_study import refuse_hopeless, with_labels
from ballistics.studies.truth_table import NOT_STATED, read_truth


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_columns(tmp_path):
    truths = read_truth(
        write(
            tmp_path / "truth.csv",
            "scan,firearm,case,ammunition,role\na.x3p,1,1,Geco,x\nb.x3p,1,1,,y\nc.x3p,2,1,S&B,\n",
        )
    )
    assert [truth.item for truth in truths] == ["firearm 1, case 1", "firearm 1, case 1", "firearm 2, case 1"]
    assert [truth.labels["ammunition"] for truth in truths] == ["Geco", NOT_STATED, "S&B"]
    filled = with_labels(truths, {"ammunition": "other", "calibre": "9 mm"})
    assert [truth.labels["ammunition"] for truth in filled] == ["Geco", "other", "S&B"]
    assert {truth.labels["calibre"] for truth in filled} == {"9 mm"}


def test_item_is_another_word_for_case(tmp_path):
    table = "scan,firearm,{}\na.x3p,1,1\nb.x3p,1,1\nc.x3p,1,2\n"
    by_item, by_case = (read_truth(write(tmp_path / f"{name}.csv", table.format(name))) for name in ("item", "case"))
    assert [truth.item for truth in by_item] == [truth.item for truth in by_case]
    assert len({truth.item for truth in by_item}) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scan,gun\na,1\n", "no column 'firearm'"),
        ("", "no column 'scan'"),
        ("scan,firearm\na,\n", "line 2: no value for 'firearm'"),
        ("scan,firearm\na\n", "line 2: no value for 'firearm'"),
        ("scan,firearm,case\na,1,\n", "no value for 'case'"),
        ("scan,firearm,item\na,1,\n", "no value for 'item'"),
        ("scan,firearm,case,item\na,1,1,1\n", "keep one"),
        ("scan,firearm\na,1\na,2\n", "twice"),
    ],
)
def test_tables_that_are_none(tmp_path, text, message):
    with pytest.raises(CorruptFileError, match=message):
        read_truth(write(tmp_path / "truth.csv", text))


def test_files_that_are_no_text(tmp_path):
    (tmp_path / "truth.csv").write_bytes(b"scan,firearm\n\xff\xfe,1\n")
    with pytest.raises(CorruptFileError, match="UTF-8"):
        read_truth(tmp_path / "truth.csv")
    with pytest.raises(ReadError, match="cannot be read"):
        read_truth(tmp_path / "absent.csv")


def test_hopeless_tables_are_refused_before_the_work(tmp_path):
    few = read_truth(write(tmp_path / "few.csv", "scan,firearm\na,1\nb,1\nc,2\n"))
    with pytest.raises(ParameterError, match="2 firearm"):
        refuse_hopeless(few, 4)
    single = read_truth(write(tmp_path / "single.csv", "scan,firearm,case\na,1,1\nb,1,1\nc,2,1\n"))
    with pytest.raises(ParameterError, match="two cartridge cases"):
        refuse_hopeless(single, 2)


@pytest.mark.parametrize("torn", [b"{", b'{"a": 2, "to', b"\x00\x00", b'{"a": 2}'])
def test_a_torn_last_line_costs_only_itself(tmp_path, torn):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"a": 1}\n' + torn)
    with RowsFile(path) as rows:
        assert rows.read() == [{"a": 1}]
        rows.append({"a": 3})
        assert rows.read() == [{"a": 1}, {"a": 3}]


def test_a_changed_line_is_said(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'{"a": 1}\nnonsense\n{"a": 2}\n')
    with RowsFile(path) as rows, pytest.raises(CorruptFileError, match="line 2"):
        rows.read()
