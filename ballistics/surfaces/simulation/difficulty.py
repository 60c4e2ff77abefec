"""How hard a simulated population is: named ranges of what makes marks of one firearm differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from ballistics.errors import ParameterError
from ballistics.surfaces.simulation.fields import generator
from ballistics.surfaces.simulation.parameters import Firearm, Shot

Range = tuple[float, float]


@dataclass(frozen=True)
class Difficulty:
    """Ranges from which a population's firearms, ammunition, shots and instrument are drawn, evenly.

    A range of None leaves what `simulate_firearm`, `simulate_ammunition` and `simulate_shot` drew. What the parameters
    mean stands in `Firearm`, `Ammunition` and `Shot`.

    Parameters
    ----------
    name, summary : str
        What it is called, and what it stands for.
    breech_face_rms_um, bare_share, make_um : tuple of float, optional
        Of each firearm; ``make_um`` is the form that all firearms of the population share.
    impressibility, texture_um : tuple of float, optional
        Of each make of ammunition: hard primers take less of the face and keep more of their own texture.
    contact, wear_share, residue_um, unpressed_share, face_drag_um : tuple of float, optional
        Of each shot.
    transfer_cutoff_um, ripple_um, noise_um : tuple of float, optional
        Of each measurement.
    spacing_um : float
        Of the instrument's points.
    """

    name: str
    summary: str
    breech_face_rms_um: Range | None = None
    bare_share: Range | None = None
    make_um: Range | None = None
    impressibility: Range | None = None
    texture_um: Range | None = None
    contact: Range | None = None
    wear_share: Range | None = None
    residue_um: Range | None = None
    unpressed_share: Range | None = None
    face_drag_um: Range | None = None
    transfer_cutoff_um: Range | None = None
    ripple_um: Range | None = None
    noise_um: Range | None = None
    spacing_um: float = 6.25

    def firearm(self, firearm: Firearm, make_seed: int) -> Firearm:
        """Return a firearm of this difficulty; ``make_seed`` is that of the population."""
        drawn = self._drawn(Firearm, firearm.seed)
        return replace(firearm, make_seed=make_seed, **drawn) if drawn else firearm

    def shot(self, shot: Shot) -> Shot:
        """Return a shot of this difficulty, with its ammunition."""
        make = shot.ammunition
        ammunition = replace(make, **self._drawn(type(make), make.seed))
        return replace(shot, ammunition=ammunition, **self._drawn(Shot, shot.seed))

    def _drawn(self, kind: type[Any], seed: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name in (field.name for field in fields(kind)):
            limits = getattr(self, name, None)
            if isinstance(limits, tuple):
                # Each parameter from a generator of its own: another range never changes the other numbers.
                values[name] = float(generator(seed, f"difficulty {name}").uniform(*limits))
        return values


# From clean to nearly nothing in common. "good" and "ordinary" were fitted, on granular faces of three seeds, to what
# real same-source pairs show octave by octave (docs/simulation.md): "good" to Fadul, "ordinary" to the given TopMatch
# scans. The others go on from there; no real set stands behind them. Instruments: a confocal microscope loses nothing
# that is compared; a gel with points 7.4 µm apart resolves less than the 2 µm of its kind at best (Johnson 2011,
# doi:10.1145/1964921.1964941): prepared TopMatch marks hold 3/4 of the amplitude of Fadul's at 16 to 31 µm, and 9/10 at
# longer waves.
_GEL = Difficulty(
    "",
    "",
    make_um=(0.3, 0.9),
    residue_um=(1.3, 2.5),
    transfer_cutoff_um=(15.0, 20.0),
    ripple_um=(0.1, 0.2),
    spacing_um=7.4,
)
DIFFICULTIES: Mapping[str, Difficulty] = {
    level.name: level
    for level in (
        Difficulty("easy", "full impressions in soft primers, hardly a change from shot to shot"),
        Difficulty(
            "good",
            "test fires with one make of ammunition and a confocal microscope, as Fadul's",
            breech_face_rms_um=(1.3, 2.2),
            make_um=(0.2, 0.9),
            impressibility=(0.7, 1.0),
            texture_um=(0.65, 1.0),
            contact=(0.8, 1.0),
            wear_share=(0.0, 0.3),
            residue_um=(0.0, 0.6),
            face_drag_um=(0.0, 50.0),
            transfer_cutoff_um=(6.0, 10.0),
        ),
        replace(
            _GEL,
            name="ordinary",
            summary="ordinary ammunition measured through a gel, as the given TopMatch scans",
            breech_face_rms_um=(1.1, 1.9),
            impressibility=(0.65, 0.95),
            texture_um=(0.38, 0.6),
            contact=(0.6, 0.86),
            wear_share=(0.0, 0.5),
            face_drag_um=(0.0, 30.0),
        ),
        replace(
            _GEL,
            name="poor",
            summary="light and partial impressions in hard primers",
            breech_face_rms_um=(1.1, 1.8),
            bare_share=(0.0, 0.25),
            impressibility=(0.6, 0.9),
            texture_um=(0.44, 0.66),
            contact=(0.55, 0.8),
            wear_share=(0.0, 0.6),
            unpressed_share=(0.0, 0.2),
            face_drag_um=(0.0, 40.0),
        ),
        replace(
            _GEL,
            name="faint",
            summary="half of the face or less impressed, lightly; faces with few features that change between shots",
            breech_face_rms_um=(1.0, 1.75),
            bare_share=(0.0, 0.4),
            impressibility=(0.55, 0.85),
            texture_um=(0.44, 0.66),
            contact=(0.5, 0.75),
            wear_share=(0.0, 0.7),
            unpressed_share=(0.0, 0.3),
            face_drag_um=(0.0, 60.0),
        ),
        replace(
            _GEL,
            name="remnant",
            summary="nearly all common marks lost: hardly any pair can be told, and none should be",
            breech_face_rms_um=(0.9, 1.7),
            bare_share=(0.0, 0.5),
            impressibility=(0.45, 0.8),
            texture_um=(0.44, 0.7),
            contact=(0.45, 0.68),
            wear_share=(0.0, 0.9),
            unpressed_share=(0.0, 0.4),
            face_drag_um=(0.0, 80.0),
        ),
    )
}


def named_difficulty(name: str) -> Difficulty:
    """Return a named difficulty.

    Raises
    ------
    ParameterError
        If there is none of that name.

    Examples
    --------
    >>> named_difficulty("easy").spacing_um
    6.25
    """
    if name not in DIFFICULTIES:
        raise ParameterError(f"difficulty {name!r} is not known; choose one of {', '.join(DIFFICULTIES)}")
    return DIFFICULTIES[name]
