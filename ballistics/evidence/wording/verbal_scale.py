"""The verbal scale: which words go with which likelihood ratio; a lab may bring its own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ballistics.errors import CorruptFileError
from ballistics.files import load_json

_SCHEMA = "ballistics/verbal-scale/1"
_MOST_BYTES = 16 << 20
_STANDARD = Path(__file__).with_name("verbal_scale.json")


@dataclass(frozen=True)
class Band:
    """One step of the scale, half-open: from ``log10_from`` up to the next band.

    Parameters
    ----------
    log10_from : float
        Lower end in log10 LR, 0 or more; the scale holds for 1/LR in the other direction.
    words : str
        In English; also the key of the text catalogues.
    translations : mapping of str to str
        A lab's own words by language; they go before the catalogues.
    """

    log10_from: float
    words: str
    translations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class VerbalScale:
    """A verbal scale with its source.

    Parameters
    ----------
    name, version, source : str
        For the report.
    bands : tuple of Band
        Ascending; the first begins at LR = 1.
    """

    name: str
    version: str
    source: str
    bands: tuple[Band, ...]

    @classmethod
    def load(cls, path: str | Path | None = None) -> VerbalScale:
        """Read the standard scale, or a lab's own file of the same form.

        Raises
        ------
        ReadError
            When it cannot be opened.
        CorruptFileError
            When the file is not a scale: bands out of order, not beginning at 1, without words.

        Examples
        --------
        >>> scale = VerbalScale.load()
        >>> scale.band(2.85).words, scale.band(-1.0).words, scale.band(0.0)
        ('moderately strong support', 'moderate support', None)
        """
        source = _STANDARD if path is None else Path(path)
        content = load_json(source, "a verbal scale", most_bytes=_MOST_BYTES)
        try:
            if content["schema"] != _SCHEMA:
                raise CorruptFileError(f"{source}: schema '{content['schema']}' is not '{_SCHEMA}'")
            bands = tuple(
                Band(math.log10(row["from"]), str(row["words"]), dict(row.get("translations", {})))
                for row in content["bands"]
            )
            scale = cls(str(content["name"]), str(content["version"]), str(content["source"]), bands)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise CorruptFileError(f"{source} is not a verbal scale: {error!r}") from error
        starts = [band.log10_from for band in bands]
        if not bands or starts[0] != 0 or starts != sorted(set(starts)) or not all(band.words for band in bands):
            raise CorruptFileError(f"{source}: bands must have words, begin at 1 and ascend")
        return scale

    def band(self, log10_lr: float) -> Band | None:
        """Return the band of a log10 LR, or of its reciprocal when it is negative; None at LR = 1 exactly."""
        if log10_lr == 0:
            return None
        return [band for band in self.bands if band.log10_from <= abs(log10_lr)][-1]
