"""The open protocol: disguises are what they say, rates have exact intervals, the same seed gives the same figures."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from click.testing import CliRunner

from ballistics.cli import main
from ballistics.errors import ParameterError
from ballistics.files import RowsFile
from ballistics.printed import Collection, Part, run_protocol, signature_of
from ballistics.printed.protocol import protocol
from ballistics.printed.protocol.disguises import DISGUISES, Disguise
from ballistics.printed.protocol.protocol import Rate
from ballistics.reports import protocol_json, protocol_report
from reference_meshes.solids import solid

# Its fixture alone costs seconds.
pytestmark = pytest.mark.slow

_FEW = (Disguise("turned"), Disguise("cut to 50 %", left=0.5))


def signature(seed: int):
    mesh = solid(seed)
    return signature_of(Part(mesh.vertices, mesh.faces))


@pytest.fixture(scope="module")
def collection() -> Collection:
    made = Collection()
    for seed in range(72_000, 72_020):
        made.enrol(signature(seed), f"solid {seed}")
    return made


@pytest.mark.parametrize("disguise", DISGUISES, ids=lambda disguise: disguise.name)
def test_disguises_are_what_they_say(disguise: Disguise) -> None:
    own = signature(72_001)
    made = disguise.apply(own, np.random.Generator(np.random.PCG64(3)))
    again = disguise.apply(own, np.random.Generator(np.random.PCG64(3)))
    assert made.codes.tobytes() == again.codes.tobytes()
    assert made.local.tobytes() == again.local.tobytes()
    assert made.keys is None  # no hash gives the reference away
    factor = made.area_mm2 / own.area_mm2
    if disguise.scaled:
        assert 0.25 * disguise.left <= factor <= 4.0 * 1.6
    else:
        assert factor == pytest.approx(disguise.left * (1.6 if disguise.foreign else 1.0), rel=1e-6)
    if disguise.name == "turned":
        assert made.size_mm == pytest.approx(own.size_mm, rel=0.02)
        assert np.abs(made.origin_mm - own.origin_mm).max() > 1.0
    assert 200 < len(made.codes) < 4 * len(own.codes)


def test_a_mirror_image_lies_on_its_mirror_image_only() -> None:
    own = signature(72_001)
    made = Disguise("mirrored", mirrored=True).apply(own, np.random.Generator(np.random.PCG64(3)))
    from ballistics.printed import identify

    held = Collection()
    held.enrol(own, "own")
    (best,) = identify(made, held).candidates
    assert best.mirrored


@pytest.mark.parametrize(
    ("queries", "count", "limits"),
    # Clopper and Pearson's own table for n = 10 and 20 at 95 %.
    [(10, 0, (0.0, 0.3085)), (10, 5, (0.1871, 0.8129)), (20, 19, (0.7513, 0.9987)), (20, 20, (0.8316, 1.0))],
)
def test_intervals_are_exact(queries: int, count: int, limits: tuple[float, float]) -> None:
    assert Rate("found", "all", queries, count).interval == pytest.approx(limits, abs=1e-4)


def test_the_protocol_on_twenty_solids(collection: Collection, tmp_path) -> None:
    found = run_protocol(collection, 2, disguises=_FEW)
    rates = {(rate.measure, rate.disguise): rate for rate in found.rates}
    assert rates["right first", "turned"].count == 2
    assert rates["right first", "all"].queries == 4
    assert rates["false hit", "all"].queries == 4
    assert rates["false hit", "all"].count == 0
    assert found.held_out >= 1.0
    assert found.references == 20
    page = protocol_report(found)
    assert "Right first: " in page
    assert page.count('class="total"') == 4
    content = protocol_json(found)
    assert len(content["rates"]) == len(found.rates) == 4 * 3
    assert json.loads(json.dumps(content)) == content


def test_too_few_references_say_nothing() -> None:
    made = Collection()
    made.enrol(signature(72_001), "alone")
    with pytest.raises(ParameterError, match="at least 20"):
        run_protocol(made)


def test_the_command_writes_page_table_and_json(collection: Collection, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(
        "ballistics.printed.protocol.protocol.run_protocol.__defaults__", (20, 2026, None, _FEW[:1], None)
    )
    folder, out = tmp_path / "references", tmp_path / "out"
    collection.save(folder)
    options = ["printed", "protocol", str(folder), "--out", str(out), "--queries", "1"]
    ended = CliRunner().invoke(main, options)
    assert ended.exit_code == 0, ended.output
    assert "right first: 1 of 1" in ended.output
    rows = list(csv.DictReader((out / "protocol.csv").read_text().splitlines()))
    assert next(row["measure"] for row in rows if row["disguise"] == "all") == "right first"
    assert json.loads((out / "protocol.json").read_text())["parameters"]["seed"] == 2026
    assert sorted(path.name for path in out.iterdir()) == ["protocol.csv", "protocol.html", "protocol.json"]
    assert CliRunner().invoke(main, options).exit_code == 2


def test_a_run_that_was_stopped_goes_on(collection: Collection, tmp_path, monkeypatch) -> None:
    whole = run_protocol(collection, 1, disguises=_FEW)
    path = tmp_path / "answers.jsonl"
    asked: list[int] = []

    def stops(done: int, total: int) -> None:
        asked.append(done)
        if len(asked) == 3:
            raise KeyboardInterrupt

    with RowsFile(path, strict=True) as kept, pytest.raises(KeyboardInterrupt):
        run_protocol(collection, 1, tell=stops, disguises=_FEW, kept=kept)
    assert len(path.read_text().splitlines()) == 3
    # A torn line and an altered one are asked again.
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1].replace(b"false", b"true") + lines[2] + b'{"protocol"')
    counted: list[int] = []
    real = protocol.identify
    monkeypatch.setattr(protocol, "identify", lambda *a, **k: (counted.append(1), real(*a, **k))[1])
    with RowsFile(path, strict=True) as kept:
        again = run_protocol(collection, 1, disguises=_FEW, kept=kept)
    assert list(again.rows()) == list(whole.rows())
    assert len(counted) == 2
    with RowsFile(path, strict=True) as kept:
        run_protocol(collection, 1, seed=3, disguises=_FEW[:1], kept=kept)
    assert len(counted) == 4  # another seed asks other questions
