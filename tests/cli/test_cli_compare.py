"""`ballistics compare` and `ballistics demo`: files in, files out, exit codes, nothing overwritten."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import cv2
import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner, Result
from remembered import Remembered, remembering

from ballistics.cli import main
from ballistics.evidence.comparisons import comparison_conditions
from ballistics.evidence.population import ReferencePopulation
from ballistics.evidence.reference_file import ReferenceFile
from ballistics.evidence.scores import ScoreTable
from ballistics.impressions.comparing import compare
from ballistics.reports.schemas.comparison_json import comparison_schema
from ballistics.surfaces.formats.reading import read
from ballistics.surfaces.formats.x3p.writer import write_x3p
from ballistics.surfaces.preparation.preparing import prepare
from ballistics.surfaces.simulation.heads import simulate_population
from ballistics.surfaces.surface import Surface


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module", autouse=True)
def remembered() -> Iterator[Remembered]:
    with remembering() as kept:
        yield kept


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scans")
    heads = islice(simulate_population(2, 2, 11, breech_faces=("granular",), spacing_um=12.5), 2)
    for name, head in zip(("a.x3p", "b.x3p"), heads, strict=True):
        write_x3p(folder / name, head.surface)
    write_x3p(folder / "flat.x3p", Surface(np.zeros((200, 240)), (20.0, 20.0)))
    return folder


@pytest.mark.slow
def test_compared_is_0_and_writes_report_and_json(scans: Path, tmp_path: Path, remembered: Remembered) -> None:
    outputs = []
    for name in ("first", "second"):
        remembered.forget()
        report, document = tmp_path / f"{name}.html", tmp_path / f"{name}.json"
        result = run("compare", scans / "a.x3p", scans / "b.x3p", "--report", report, "--json", document)
        assert result.exit_code == 0, result.output
        assert "agree under the significance rule (this project" in result.output
        assert str(report.resolve()) in result.output
        outputs.append((report.read_bytes(), document.read_bytes()))
    assert outputs[0] == outputs[1]
    parsed = json.loads(outputs[0][1])
    jsonschema.Draft202012Validator(comparison_schema()).validate(parsed)
    assert parsed["comparison"]["rules"]["significance"]["score"] >= 10
    assert parsed["scans"]["a"]["name"] == "a.x3p"
    assert str(scans) not in outputs[0][0].decode()


@pytest.fixture(scope="module")
def reference(scans: Path) -> Path:
    """A made-up population that covers the simulated scans, built from what their comparison says of itself."""
    paths = (scans / "a.x3p", scans / "b.x3p")
    marks = [prepare(read(path)) for path in paths]
    conditions = comparison_conditions(compare(*marks), marks, "count", ("9 mm Luger",), ("confocal",), ("Geco",))
    rows = [(26 + i, a, b) if a == b else (i % 2, a, b) for i, a in enumerate("ABCDEF") for b in "ABCDEF"[i:]]
    scores, first, second = zip(*rows, strict=True)
    table = ScoreTable.build(scores, first, second, [34 + 2 * (i % 6) for i in range(len(rows))])
    folder = scans / "populations"
    folder.mkdir()
    population = ReferencePopulation("made up", table, conditions)
    (folder / "reference.json").write_bytes(ReferenceFile((population,)).to_json())
    return folder / "reference.json"


@pytest.mark.slow
def test_weight_of_evidence_number_first_then_words(scans: Path, reference: Path, tmp_path: Path) -> None:
    report, document = tmp_path / "r.html", tmp_path / "r.json"
    stated = ("--calibre", "9 mm Luger", "--instrument", "confocal", "--ammunition", "Geco")
    pair = ("compare", scans / "a.x3p", scans / "b.x3p")
    result = run(*pair, "--reference", reference, *stated, "--report", report, "--json", document)
    assert result.exit_code == 0, result.output
    printed = " ".join(result.output.split())
    parts = ("Proposition 1:", "Proposition 2:", "times more probable", "Likelihood ratio:", "In words:", "made up;")
    places = [printed.index(part) for part in parts]
    assert places == sorted(places)
    assert "Bounds of log10 LR" in printed
    written = json.loads(document.read_bytes())["evaluation"]
    assert written["status"] == "evaluated"
    assert written["log10_lr"] > 0.5
    text = report.read_text(encoding="utf-8")
    assert "Evaluative report" in text
    assert "--reference reference.json --calibre &#39;9 mm Luger&#39; --instrument confocal" in text
    assert str(reference) not in text
    # A folder of populations, another language: decimal comma, the same value.
    other = run(*pair, "--reference", reference.parent, *stated, "--language", "sq")
    assert other.exit_code == 0, other.output
    assert re.search(r"Raporti i gjasave: \d+,\d", other.output), other.output


def test_a_refusal_is_said_with_its_reason_and_exits_0(scans: Path, reference: Path) -> None:
    pair = ("compare", scans / "a.x3p", scans / "b.x3p", "--reference", reference)
    unstated = " ".join(run(*pair).output.split())
    assert "NO LIKELIHOOD RATIO" in unstated
    assert "the calibre of the comparison is not stated" in unstated
    other = run(*pair, "--calibre", ".40 S&W", "--instrument", "confocal")
    assert other.exit_code == 0
    assert "calibre '.40 S&W' is not covered" in " ".join(other.output.split())


def test_weighing_options_are_checked_before_the_work(scans: Path, reference: Path, tmp_path: Path) -> None:
    pair = ("compare", scans / "a.x3p", scans / "b.x3p")
    assert "give --reference" in run(*pair, "--calibre", "9 mm Luger").output
    damaged = tmp_path / "reference.json"
    damaged.write_text("{}")
    for arguments in (("--reference", damaged), ("--reference", tmp_path / "absent.json")):
        assert run(*pair, *arguments).exit_code == 2
    damaged.unlink()
    assert "holds no reference population" in run(*pair, "--reference", tmp_path).output
    before = reference.read_bytes()
    assert run(*pair, "--reference", reference, "--json", reference, "--overwrite").exit_code == 2
    assert reference.read_bytes() == before


@pytest.mark.slow
def test_a_file_that_names_another_instrument_leaves_no_likelihood_ratio(
    scans: Path, reference: Path, tmp_path: Path
) -> None:
    for name in "ab":
        surface = read(scans / f"{name}.x3p")
        named = {**surface.metadata, "probing_identification": "GelSight Photometric Stereo"}
        write_x3p(tmp_path / f"{name}.x3p", replace(surface, metadata=named))
    pair = ("compare", tmp_path / "a.x3p", tmp_path / "b.x3p", "--reference", reference, "--calibre", "9 mm Luger")
    document = tmp_path / "r.json"
    for stated in (("--instrument", "confocal"), ()):
        result = run(*pair, *stated, "--json", document, "--overwrite")
        assert result.exit_code == 0, result.output
        assert "NO LIKELIHOOD RATIO" in result.output
        written = json.loads(document.read_bytes())
        assert written["evaluation"]["log10_lr"] is None
        assert ("instrument-contradicts" in document.read_text(encoding="utf-8")) == bool(stated)
    assert "photometric stereo" in " ".join(result.output.split())


@pytest.mark.slow
def test_a_region_is_given_for_each_scan(scans: Path, tmp_path: Path) -> None:
    shape = read(scans / "a.x3p").heights_um.shape
    mask = np.zeros(shape, np.uint8)
    mask[: 3 * shape[0] // 4] = 255
    cv2.imwrite(str(tmp_path / "most.png"), mask)
    cv2.imwrite(str(tmp_path / "other.png"), mask[1:])
    pair = ("compare", scans / "a.x3p", scans / "b.x3p")
    refused = run(*pair, "--region-a", tmp_path / "other.png")
    assert refused.exit_code == 2
    assert "they must agree" in " ".join(refused.output.split())
    assert "no label mask" in run(*pair, "--region-b", "breech face").output
    document = tmp_path / "r.json"
    result = run(*pair, "--region-a", tmp_path / "most.png", "--json", document)
    assert result.exit_code in (0, 3), result.output
    text = document.read_text(encoding="utf-8")
    assert "the region was given: mask most.png" in text
    # A firing pin and an edge lie in it: it is no breech face.
    assert "not-the-mark-type" in text


def test_insufficient_is_3_and_still_reported(scans: Path, tmp_path: Path) -> None:
    report, document = tmp_path / "r.html", tmp_path / "r.json"
    result = run("compare", scans / "a.x3p", scans / "flat.x3p", "--report", report, "--json", document)
    assert result.exit_code == 3, result.output
    assert "INSUFFICIENT" in result.output
    assert "INSUFFICIENT" in report.read_text(encoding="utf-8")
    assert "no breech face found" in json.loads(document.read_bytes())["comparison"]["insufficient"]


def test_an_error_is_2_and_leaves_nothing(scans: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.x3p"
    broken.write_bytes((scans / "a.x3p").read_bytes()[:2000])
    report = tmp_path / "r.html"
    result = run("compare", scans / "a.x3p", broken, "--report", report)
    assert result.exit_code == 2
    assert "broken.x3p" in result.output
    assert not report.exists()
    assert run("compare", scans / "a.x3p", scans / "absent.x3p").exit_code == 2
    assert run("compare", scans / "a.x3p", scans / "b.x3p", "--mark", "no such mark").exit_code == 2


def test_quiet_says_nothing(scans: Path) -> None:
    result = run("compare", scans / "a.x3p", scans / "b.x3p", "--quiet")
    assert (result.exit_code, result.output) == (0, "")


def test_nothing_is_overwritten_untold(scans: Path, tmp_path: Path) -> None:
    report = tmp_path / "r.html"
    report.write_text("mine")
    arguments = ("compare", scans / "a.x3p", scans / "flat.x3p", "--report", report, "--quiet")
    result = run(*arguments)
    assert result.exit_code == 2
    assert "--overwrite" in result.output
    assert report.read_text() == "mine"
    assert run(*arguments, "--overwrite").exit_code == 3
    assert report.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    before = (scans / "a.x3p").read_bytes()
    result = run("compare", scans / "a.x3p", scans / "b.x3p", "--json", scans / "a.x3p", "--overwrite")
    assert result.exit_code == 2
    assert (scans / "a.x3p").read_bytes() == before
    assert run("compare", scans / "a.x3p", scans / "b.x3p", "--report", tmp_path / "no" / "r.html").exit_code == 2


def test_units_are_overridden_only_when_told_and_that_is_reported(scans: Path, tmp_path: Path) -> None:
    """A scan in micrometres, as about one public file in eight: refused, and read with the override."""
    wrong = tmp_path / "micrometres.x3p"
    with zipfile.ZipFile(scans / "flat.x3p") as source, zipfile.ZipFile(wrong, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name == "main.xml":
                text = data.decode()
                assert "2e-05" in text
                data = text.replace("2e-05", "20.0").encode()
            if name != "md5checksum.hex":
                target.writestr(name, data)
    assert run("compare", wrong, scans / "flat.x3p").exit_code == 2
    report = tmp_path / "r.html"
    result = run("compare", wrong, scans / "flat.x3p", "--units-a", "micrometres", "--report", report, "--quiet")
    assert result.exit_code == 3, result.output
    text = report.read_text(encoding="utf-8")
    assert "units-overridden" in text
    assert "--units-a micrometres" in text


@pytest.mark.slow
def test_demo_tells_firearms_apart_and_spares_foreign_files(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    result = run("demo", "--out", folder, "--quiet")
    assert result.exit_code == 0, result.output
    assert (folder / "same-firearm.html").resolve().as_uri() in result.output
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert len(first) == 8
    same, different = (
        json.loads(first[f"{pair}-firearm.json"])["comparison"]["rules"]["significance"]["score"]
        for pair in ("same", "different")
    )
    assert same > 20
    assert different <= 4
    (folder / "same-firearm.html").write_text("mine")
    result = run("demo", "--out", folder, "--quiet")
    assert result.exit_code == 2
    assert "same-firearm.html" in result.output
    assert (folder / "same-firearm.html").read_text() == "mine"


def test_demo_spares_foreign_files_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ballistics.cli.demo._write_scans", None)
    (tmp_path / "same-firearm.html").write_text("mine")
    result = run("demo", "--out", tmp_path, "--quiet")
    assert result.exit_code == 2
    assert "same-firearm.html" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["same-firearm.html"]
    assert (tmp_path / "same-firearm.html").read_text() == "mine"


@pytest.mark.slow
def test_demo_runs_twice(tmp_path: Path) -> None:
    folder, written = tmp_path / "demo", []
    for _ in range(2):
        assert run("demo", "--out", folder, "--quiet").exit_code == 0
        written.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert written[0] == written[1]


def test_other_parameters_are_set_by_name_and_recorded(scans: Path, tmp_path: Path) -> None:
    document = tmp_path / "set.json"
    result = run("compare", scans / "a.x3p", scans / "b.x3p", "--set", "cells.cell_um=400", "--json", document)
    assert result.exit_code == 0, result.output
    parsed = json.loads(document.read_text())
    jsonschema.Draft202012Validator(comparison_schema()).validate(parsed)
    assert parsed["comparison"]["provenance"]["parameters"]["cells"]["cell_um"] == 400
    assert "own-parameters" in document.read_text()
    assert "WARNING: compared with parameters other than those tested" in result.output


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (["cell_um=400"], "did you mean cells.cell_um"),
        (["cells.cell_um"], "not NAME=VALUE"),
        (["cells.cell_um=400", "cells.cell_um=500"], "gives a parameter twice"),
        (["cells.cell_um=1e9"], "from a tenth to ten times"),
    ],
)
def test_a_wrong_setting_is_an_error(scans: Path, settings: list[str], says: str) -> None:
    chosen = [part for text in settings for part in ("--set", text)]
    result = run("compare", scans / "a.x3p", scans / "b.x3p", *chosen)
    assert result.exit_code == 2
    assert says in " ".join(result.output.replace("│", " ").split())


def test_a_report_that_could_not_be_written_is_refused_before_any_work(scans: Path, tmp_path: Path) -> None:
    pair = ("compare", scans / "a.x3p", scans / "missing.x3p")
    pdf = run(*pair, "--report", tmp_path / "r.pdf")
    assert pdf.exit_code == 2
    assert "name it r.html" in " ".join(pdf.output.split())
    half = run(*pair, "--report", tmp_path / "r.html", "--language", "mk")
    assert half.exit_code == 2
    assert "translated whole or not at all" in " ".join(half.output.split())
    alone = run(*pair, "--case", "2026/114")
    assert alone.exit_code == 2
    assert "give --report too" in " ".join(alone.output.split())
    assert list(tmp_path.iterdir()) == []


def test_head_lines_stand_at_the_head_of_page_and_print(scans: Path, tmp_path: Path) -> None:
    report = tmp_path / "r.html"
    lines = ("--case", "2026/114", "--exhibit-a", "K1", "--exhibit-b", "Q3", "--examiner", "Examiner 7")
    result = run("compare", scans / "a.x3p", scans / "b.x3p", "--report", report, *lines)
    assert result.exit_code == 0, result.output
    text = report.read_text(encoding="utf-8")
    assert "<dt>Case</dt><dd>2026/114</dd>" in text
    assert "<b>K1</b> · a.x3p" in text
    assert "--case 2026/114 --exhibit-a K1 --exhibit-b Q3 --examiner &#39;Examiner 7&#39;" in text
    assert r"Case 2026\2f 114 \b7  A\3a  K1 \b7  B\3a  Q3" in text
