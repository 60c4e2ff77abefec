"""Questions to a simulated registry: its firearms with serials damaged or misread, and makes respelled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ballistics.registry import CALIBRE_FORMS, Question, SimulatedRow, simulated_makes

#: What is done to the serial and the make of a firearm that is looked up.
KINDS = (
    "1 character obliterated",
    "2 characters obliterated",
    "2 characters doubtful",
    "1 character misread",
    "1 look-alike misread",
    "transliterated make",
    "transliterated make, 1 character obliterated",
    "read rightly",
)
_LOOKALIKES = {
    "0": "O",
    "O": "0",
    "1": "I",
    "I": "1",
    "L": "1",
    "8": "B",
    "B": "8",
    "5": "S",
    "S": "5",
    "2": "Z",
    "Z": "2",
}
_DIGITS, _LETTERS = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Asked:
    """A question, its kind, and the number that the firearm has in the register."""

    kind: str
    number: str
    question: Question


def questions(rows: list[SimulatedRow], seed: int) -> list[Asked]:
    """Return a question of each kind for each firearm.

    The make is written in a form drawn from those of its list, for transliterated makes in another script than the
    register's or another spelling; the calibre in any of its forms. The model is not asked for.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    return [_asked(row, kind, rng) for row in rows for kind in KINDS]


def _asked(row: SimulatedRow, kind: str, rng: np.random.Generator) -> Asked:
    forms = next(make.forms for make in simulated_makes() if make.make == row.make)
    written = row.values[2]
    if kind.startswith("transliterated"):
        others = [form for form in forms if form.isascii() != written.isascii()] or [
            form for form in forms if form.casefold() != written.casefold()
        ]
        make = others[int(rng.integers(len(others)))]
    else:
        make = forms[int(rng.integers(len(forms)))]
    calibres = CALIBRE_FORMS.get(row.calibre, (row.calibre,))
    calibre = calibres[int(rng.integers(len(calibres)))]
    return Asked(kind, row.values[0], Question(_damaged(row.serial, kind, rng), make, "", calibre))


def _damaged(serial: str, kind: str, rng: np.random.Generator) -> str:
    places = [place for place, sign in enumerate(serial) if sign.isalnum()]
    signs = list(serial)
    if "obliterated" in kind or "doubtful" in kind:
        for place in rng.choice(places, 2 if kind.startswith("2") else 1, replace=False).tolist():
            signs[place] = "?" if "obliterated" in kind else f"[{_other(signs[place], rng)}{signs[place]}]"
    elif kind == "1 character misread":
        place = int(rng.choice(places))
        signs[place] = _other(signs[place], rng)
    elif kind == "1 look-alike misread":
        mistaken = [place for place in places if signs[place] in _LOOKALIKES]
        if mistaken:
            place = int(rng.choice(mistaken))
            signs[place] = _LOOKALIKES[signs[place]]
    return "".join(signs)


def _other(sign: str, rng: np.random.Generator) -> str:
    """Return another character: a digit for a digit, a letter for a letter, and each tenth time any of both."""
    among = _DIGITS + _LETTERS if rng.integers(10) == 0 else _DIGITS if sign in _DIGITS else _LETTERS
    return str(rng.choice([other for other in among if other != sign]))
