"""Names of calibres: the same cartridge under its names, and never two cartridges under one."""

from __future__ import annotations

import pytest

from ballistics.errors import ParameterError
from ballistics.evidence.calibres import calibre_named, names_of_calibres
from ballistics.evidence.conditions import Conditions


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("9mm Luger", "9 mm Luger"),
        ("9X19", "9 mm Luger"),
        ("9 × 19 mm", "9 mm Luger"),
        ("9mm Para.", "9 mm Luger"),
        ("9MM PARABELLUM", "9 mm Luger"),
        (".45 ACP", "45 Auto"),
        ("7,62x39", "7.62 x 39"),
        ("7.65 mm", "7.65 mm Browning"),
        ("40 s&w", "40 S&W"),
        (".22LR", "22 Long Rifle"),
        ("  something   else ", "something else"),
    ],
)
def test_a_name_means_its_calibre(text, name):
    assert calibre_named(text) == name


@pytest.mark.parametrize(
    ("first", "other"),
    [
        ("9x18", "9x19"),
        ("223 Rem", "5.56x45"),
        ("308 Win", "7.62x51"),
        ("7.65 Para", "7.65 Browning"),
        ("38 Spl", "380"),
    ],
)
def test_cartridges_that_resemble_each_other_stay_apart(first, other):
    assert calibre_named(first) != calibre_named(other)


def test_every_line_of_the_file_is_read_and_a_name_of_two_calibres_is_refused(tmp_path):
    assert len(set(names_of_calibres().values())) > 30
    (tmp_path / "own.csv").write_text("9 mm Luger|9 x 19\n# a comment\n9 mm Other|9x19\n")
    with pytest.raises(ParameterError, match=r"own.csv, line 3: '9x19' is already a name of '9 mm Luger'"):
        names_of_calibres(tmp_path / "own.csv")


def test_a_population_covers_a_calibre_under_any_of_its_names():
    def of(calibre):
        return Conditions("breech face", (calibre,), ("confocal",), "CMC", "1")

    assert of("9 mm Luger").refusals(of("9x19")) == ()
    assert of("9 mm Luger").refusals(of("9x18")) == (
        "calibre '9x18' is not covered by the reference population (9 mm Luger)",
    )
