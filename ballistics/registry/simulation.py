"""A simulated register of firearms, for trying out, tests and benchmarks: made-up rows as a register writes them."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ballistics.files import write_csv, write_whole, written_whole

_FILE = Path(__file__).with_name("data") / "simulated_makes.csv"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CHUNK = 10_000
#: Headings of a row, in the words of a register that needs a mapping.
COLUMNS = ("reg_no", "vrsta", "marka", "model", "kalibar", "serija", "zemja", "godina", "status", "datum", "ps")
#: A mapping of a register with these columns.
MAPPING = """\
source: simulated
key: reg_no
columns:
  kind: {column: vrsta, codes: {P: pistol, R: revolver, K: rifle, S: shotgun, G: gas or alarm weapon}}
  make: marka
  model: model
  calibre: kalibar
  serial: serija
  country_of_manufacture: zemja
  year_of_manufacture: godina
events:
  - kind: {column: status, codes: {U: stolen, L: lost}}
    on: {column: datum, date: "%d.%m.%Y"}
    unit: ps
"""
#: What the register means by its codes for the type.
KINDS = {"P": "pistol", "R": "revolver", "K": "rifle", "S": "shotgun", "G": "gas or alarm weapon"}
_BY_CALIBRE = {"12": "S", "16": "S", "20": "S", "9 mm P.A.K.": "G", "38 Special": "R", "357 Magnum": "R"}
_RIFLES = ("7.62 x 39", "7.92 x 57", "22 Long Rifle", "223 Remington", "308 Winchester", "30-06 Springfield")
#: Other ways to write calibres.
CALIBRE_FORMS = {
    "9 mm Luger": ("9 mm Luger", "9x19", "9 Para", "9 mm Parabellum", "9×19 мм"),
    "7.65 mm Browning": ("7.65 mm Browning", "7,65 mm", ".32 ACP", "7,65 Browning", "7,65 мм"),
    "7.62 x 39": ("7.62 x 39", "7,62x39", "7,62х39 мм", "7.62 x 39 M43"),
    "7.62 x 25 Tokarev": ("7.62 x 25 Tokarev", "7,62x25", "7.62 TT"),
    "22 Long Rifle": (".22 LR", "22 LR", ".22 Long Rifle"),
    "9 mm Browning Court": (".380 ACP", "9 mm kurz", "9x17"),
    "38 Special": (".38 Special", ".38 Spl"),
    "45 Auto": (".45 ACP", ".45 Auto"),
    "12": ("12", "12 ga"),
}
_UNITS = ("Skopje", "Bitola", "Niš", "Novi Pazar", "Tirana", "Prishtina", "Podgorica", "Sarajevo", "Chișinău")


@dataclass(frozen=True)
class SimulatedMake:
    """A make: country, share of the register, shapes of its serials, calibres, and how its name is written."""

    make: str
    country: str
    share: float
    serials: tuple[str, ...]
    calibres: tuple[str, ...]
    forms: tuple[str, ...]


@cache
def simulated_makes() -> tuple[SimulatedMake, ...]:
    """Return the makes of simulated registers."""
    lines = [line for line in _FILE.read_text("utf-8").splitlines() if not line.startswith("#")]
    return tuple(
        SimulatedMake(
            row["make"],
            row["country"],
            float(row["share"]),
            tuple(row["serials"].split("|")),
            tuple(row["calibres"].split("|")),
            tuple(row["forms"].split("|")),
        )
        for row in csv.DictReader(lines)
    )


@dataclass(frozen=True)
class SimulatedRow:
    """A row of the register, and the make and calibre behind it.

    Parameters
    ----------
    values : tuple of str
        By `COLUMNS`.
    make, calibre : str
        Names in `simulated_makes`, whatever the row writes.
    """

    values: tuple[str, ...]
    make: str
    calibre: str

    @property
    def serial(self) -> str:
        """The serial number as the row writes it."""
        return self.values[COLUMNS.index("serija")]


def simulated_rows(count: int, seed: int) -> Iterator[SimulatedRow]:
    """Yield the rows of a simulated register.

    Numbers of a make and shape are drawn from a range ten times as long as the make has firearms, so that near numbers
    are frequent, as they are where a make sold whole series into a country.

    Parameters
    ----------
    count : int
        Firearms.
    seed : int

    Examples
    --------
    >>> [row.values[2:6] for row in simulated_rows(2, 7)]
    [('Bajkal', 'B8', '12 ga', 'L15288'), ('Екол', 'E2', '9 mm P.A.K.', 'I94933376')]
    """
    makes = simulated_makes()
    shares = np.array([make.share for make in makes])
    shares /= shares.sum()
    rng = np.random.Generator(np.random.PCG64(seed))
    for start in range(0, count, _CHUNK):
        size = min(_CHUNK, count - start)
        chosen = rng.choice(len(makes), size, p=shares).tolist()
        draws = rng.integers(0, 1 << 31, (size, 12)).tolist()
        for place, (number, draw) in enumerate(zip(chosen, draws, strict=True), start + 1):
            yield _row(place, makes[number], float(shares[number]) * count, draw)


def _row(place: int, make: SimulatedMake, expected: float, draw: list[int]) -> SimulatedRow:
    shape = make.serials[draw[0] % len(make.serials)]
    calibre = make.calibres[draw[1] % len(make.calibres)]
    forms = CALIBRE_FORMS.get(calibre, (calibre,))
    kind = _BY_CALIBRE.get(calibre, "K" if calibre in _RIFLES else "P")
    status, on, unit = "", "", ""
    if draw[2] % 50 == 0:
        status = "UL"[draw[2] // 50 % 2]
        on = f"{1 + draw[3] % 28:02d}.{1 + draw[3] // 28 % 12:02d}.{1990 + draw[3] // 336 % 36}"
        unit = _UNITS[draw[4] % len(_UNITS)]
    values = (
        str(place),
        kind,
        make.forms[draw[5] % len(make.forms)],
        f"{make.make[0]}{1 + draw[6] % 9}",
        forms[draw[7] % len(forms)],
        _serial(shape, draw[8] % max(100, int(10 * expected / len(make.serials)))),
        make.country,
        str(1950 + draw[9] % 75),
        status,
        on,
        unit,
    )
    return SimulatedRow(values, make.make, calibre)


def _serial(shape: str, number: int) -> str:
    """Count in a shape from its end, as factories do, beginning somewhere that depends on the shape."""
    number += zlib.crc32(shape.encode())
    signs = []
    for sign in reversed(shape):
        if sign in "#A":
            symbols = "0123456789" if sign == "#" else _LETTERS
            number, place = divmod(number, len(symbols))
            sign = symbols[place]
        signs.append(sign)
    return "".join(reversed(signs))


def write_register(folder: Path, count: int, seed: int) -> tuple[Path, Path]:
    """Write a simulated register as CSV, and its mapping; return their paths.

    Parameters
    ----------
    folder : Path
    count : int
        Firearms.
    seed : int
    """
    register, mapping = folder / "register.csv", folder / "mapping.yaml"
    with written_whole(register) as part, open(part, "w", encoding="utf-8", newline="") as file:
        write_csv(file, COLUMNS, (row.values for row in simulated_rows(count, seed)))
    write_whole(mapping, MAPPING.encode())
    return register, mapping
