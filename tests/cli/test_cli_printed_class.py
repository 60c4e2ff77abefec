"""`ballistics printed class train` and `ask` from outside: words, JSON, exit codes, and what is wrong with a table."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from mesh_samples import box, off, together

from ballistics.cli import main
from ballistics.printed.shape_class.classifier import LONG_GUN, ORDINARY

HEAD = "path,class,source\n"


def run(*arguments):
    return CliRunner().invoke(main, ["printed", "class", *map(str, arguments)])


def comb(k):
    """Return a harmless solid that plays a firearm class: a bar with three teeth."""
    deep = 10.0 + 0.6 * k
    return together(box((120.0, 5.0, 8.0)), *(box((6.0, 5.0, deep), (x, 0.0, -deep)) for x in (10.0, 50.0, 80.0)))


def table_of(folder, sources):
    """Write twelve files and return the text of their table."""
    rows = []
    for label in (LONG_GUN, ORDINARY):
        for k in range(6):
            mesh = comb(k) if label == LONG_GUN else box((30.0 + 3 * k, 22.0, 9.0 + 2 * k))
            (folder / f"{label}{k}.off").write_bytes(off(mesh))
            rows.append(f"{label}{k}.off,{label},source {k % sources}\n")
    return HEAD + "".join(rows)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    (folder / "table.csv").write_text(table_of(folder, 3), encoding="utf-8")
    (folder / "bad.off").write_text("OFF 1 1 0\n0 0 0\n3 0 0 9")
    done = run("train", folder / "table.csv", "--out", folder / "model.npz")
    assert done.exit_code == 0, done.output
    for words in ("long-gun-like: 6 references of 3 sources", "handgun-like: 0 references of 0 sources", "model.npz"):
        assert words in done.stdout
    assert "too few" not in done.stdout
    return folder


def test_the_help_says_how():
    assert "train" in run("--help").output
    assert "columns path, class and source" in run("train", "--help").output
    assert "The laboratory's own" in run("ask", "--help").output


def test_answers_in_words_and_in_json(lab):
    files = (lab / f"{LONG_GUN}2.off", lab / f"{ORDINARY}2.off")
    done = run("ask", *files, "--classifier", lab / "model.npz")
    assert done.exit_code == 0, done.output
    # The bar and its teeth only touch: they are parts, and one thing.
    assert f"{LONG_GUN}2.off, all parts together: {LONG_GUN} (" in done.output
    assert f"{ORDINARY}2.off, part 'ordinary2': {ORDINARY} (" in done.output
    assert "neither identity nor function" in done.output
    done = run("ask", *files, lab / "bad.off", "--classifier", lab / "model.npz", "--json")
    assert done.exit_code == 1
    rows = json.loads(done.stdout)
    assert list(dict.fromkeys(row["name"] for row in rows)) == ["bad.off", f"{LONG_GUN}2.off", f"{ORDINARY}2.off"]
    assert rows[0]["error"].startswith("CorruptFileError: face 0")
    assert sum(rows[1]["probabilities"].values()) == pytest.approx(1.0)
    assert str(lab) not in done.stdout


def test_several_parts_are_also_asked_about_together(lab, tmp_path):
    (tmp_path / "two.off").write_bytes(off(together(box(), box(origin=(90.0, 0.0, 0.0)))))
    done = run("ask", tmp_path, "--classifier", lab / "model.npz", "--json")
    assert [row["what"] for row in json.loads(done.stdout)][-1] == "all parts together"


def test_no_name_steers_the_terminal(lab, tmp_path):
    (tmp_path / "a\x1b[2J.off").write_bytes(off(box()))
    (tmp_path / "b\x1b[2J.off").write_bytes(b"OFF none")
    done = run("ask", tmp_path, "--classifier", lab / "model.npz")
    assert done.exit_code == 1
    assert "\x1b" not in done.output
    (tmp_path / "table.csv").write_text(HEAD + "b\x1b[2J.off,ordinary,x\n")
    done = run("train", tmp_path / "table.csv", "--out", tmp_path / "m.npz")
    assert done.exit_code == 2
    assert "\x1b" not in done.output


def test_what_is_no_classifier_or_no_file(lab, tmp_path):
    for arguments, words in (
        ((lab / "bad.off", "--classifier", lab / "table.csv"), "not a shape classifier"),
        ((lab / "bad.off", "--classifier", lab / "none.npz"), "does not exist"),
        ((lab / "none.off", "--classifier", lab / "model.npz"), "none.off does not exist"),
        ((tmp_path, "--classifier", lab / "model.npz"), "no file was found"),
    ):
        done = run("ask", *arguments)
        assert done.exit_code == 2
        assert words in done.output.replace("\n", " ")


def test_an_output_is_refused_before_the_work(lab, tmp_path):
    before = (lab / "model.npz").read_bytes()
    # A table that cannot be read: the output is looked at first.
    (tmp_path / "table.csv").write_text("")
    done = run("train", tmp_path / "table.csv", "--out", lab / "model.npz")
    assert done.exit_code == 2
    assert "never overwritten" in done.output
    assert (lab / "model.npz").read_bytes() == before
    done = run("train", tmp_path / "table.csv", "--out", tmp_path / "no" / "m.npz")
    assert done.exit_code == 2
    assert "does not exist; make it first" in done.output


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no column 'path'"),
        (b"path;class;source\na;b;c\n", "there are: path;class;source"),
        (HEAD.encode() + b"a.off,gun,x\n", "line 2: no class 'gun'"),
        (HEAD.encode() + b"\n\na.off,ordinary\n", "line 4: no value for 'source'"),
        (HEAD.encode() + b"a.off,ordinary,x\na.off,ordinary,y\n", "line 3: a.off stands in it twice"),
        (HEAD.encode() + b"caf\xe9.off,ordinary,x\n", "not a UTF-8 table"),
        (HEAD.encode() + b'"a.off,ordinary,x\n', "not a UTF-8 table with commas"),
        (HEAD.encode(), "0 ordinary things"),
    ],
    ids=["empty", "semicolons", "class", "value", "twice", "encoding", "quote", "no rows"],
)
def test_the_table_says_what_is_wrong_with_it(tmp_path, content, words):
    (tmp_path / "table.csv").write_bytes(content)
    done = run("train", tmp_path / "table.csv", "--out", tmp_path / "m.npz")
    assert done.exit_code == 2
    assert words in done.output
    assert not (tmp_path / "m.npz").exists()


@pytest.mark.slow
def test_every_reference_that_cannot_be_read_is_named(tmp_path):
    text = table_of(tmp_path, 3) + "missing.off,ordinary,x\nbad.off,ordinary,y\n"
    (tmp_path / "bad.off").write_text("OFF 1 1 0\n0 0 0\n3 0 0 9")
    (tmp_path / "table.csv").write_text(text)
    done = run("train", tmp_path / "table.csv", "--out", tmp_path / "m.npz", "--quiet")
    assert done.exit_code == 2
    for words in ("2 of 14 references cannot be read", "line 14: ", "missing.off", "line 15: ", "bad.off"):
        assert words in done.output
    assert not (tmp_path / "m.npz").exists()


@pytest.mark.slow
def test_too_few_sources_are_told(tmp_path):
    (tmp_path / "table.csv").write_text(table_of(tmp_path, 1))
    done = run("train", tmp_path / "table.csv", "--out", tmp_path / "m.npz")
    assert done.exit_code == 0, done.output
    assert "1 source in all: too few" in done.output
    assert "nothing will be called unlike every reference" in done.output
    done = run("train", tmp_path / "table.csv", "--out", tmp_path / "quiet.npz", "--quiet")
    assert done.stdout == ""
    assert (tmp_path / "quiet.npz").read_bytes() == (tmp_path / "m.npz").read_bytes()
