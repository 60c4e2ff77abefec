"""What slicers write into the comments of a job: kinds of track, widths, names, settings, pictures, filament."""

from __future__ import annotations

import base64
import binascii
import math
import re
from typing import NamedTuple

from ballistics.errors import HostileFileError
from ballistics.printed.content.bounds import text_of
from ballistics.printed.content.mesh_content import Thumbnail

_SETTING = re.compile(rb"^;\s*([a-z_ ]{3,50}?)\s*[=:]\s*(.{1,200})$", re.IGNORECASE)
_MADE_BY = re.compile(rb"^;\s*generated (?:by|with) (.+)$", re.IGNORECASE)
# PrusaSlicer, Cura, ideaMaker; Orca, Bambu; Simplify3D 4 and 3; KISSlicer.
_TYPE = re.compile(
    rb"^;\s*(?:TYPE|FEATURE|feature)[:\s]\s*(.+)$"
    rb"|^; ((?:outer|inner) perimeter|(?:single|internal single|external single) extrusion|solid layer|infill|gap fill"
    rb"|bridge|skirt|raft|(?:dense )?support|prime pillar|ooze shield)\s*$"
    rb"|^; '([\w /]+) Path'"
)
_LAYERS = re.compile(rb"^;\s*(?:layer_count|total layers? (?:count|number))\s*[:=]\s*(\d{1,6})\s*$", re.IGNORECASE)
_HEIGHT = re.compile(rb"^;\s*(?:max_z_height|MAXZ)\s*:\s*([\d.]{1,12})\s*$", re.IGNORECASE)
_OBJECT = re.compile(rb"^(?:; printing object |;MESH:|; object:)(.+)$")
_JSON_NAME = re.compile(rb'"name"\s*:\s*"([^"]{1,200})"')
# filament_diameter (Slic3r and its children), filamentDiameters (Simplify3D), Filament Diameter #1 (ideaMaker),
# fiber_dia_mm (KISSlicer), material_diameter (Cura).
_DIAMETER = re.compile(
    rb"(?:filament|material|fiber)[ _]?dia(?:meter)?s?(?:_mm)?\s*(?:#\s*(\d{1,2}))?\s*[=:,]\s*([\d.][\d.,|; ]{0,200})",
    re.IGNORECASE,
)
_USED_LENGTH = re.compile(rb"filament (?:used|length)(?: \[mm\])?\s*[:=]\s*([\d.]{1,20})\s*(?:mm\b|$)", re.IGNORECASE)
_USED_VOLUME = re.compile(
    rb"(?:filament used \[(cm3|mm3)\]|plastic volume)\s*[:=]\s*([\d.]{1,20})\s*(mm)?|mm \(([\d.]{1,20})\s*cm\^?3",
    re.IGNORECASE,
)
_CURA_SETTINGS = re.compile(rb"^;SETTING_3 (.*)$")
_KEPT_SETTINGS = {
    "filament_diameter", "filament_type", "layer_height", "nozzle_diameter", "printer_model", "printer_settings_id",
    "print_settings_id", "filament_settings_id", "flavor", "gcode_flavor", "printer_notes", "use_volumetric_e",
}  # fmt: skip
_MOST_THUMBNAILS = 16
_THUMBNAIL_BYTES = 16 << 20
_CURA_BYTES = 1 << 20
_MOST_OBJECTS = 1000
_THINNEST_MM, _THICKEST_MM = 0.5, 5.0


class Effect(NamedTuple):
    """What a line does each time it is met.

    Parameters
    ----------
    kind : int
        Kind of track from here on; -1: as before.
    width_mm : float
        Width of tracks from here on; negative: as before.
    ends : int
        1 where it is one of those that end a job.
    """

    kind: int = -1
    width_mm: float = -1.0
    ends: int = 0


class Comments:
    """What the comments of a job say, line by line.

    Attributes
    ----------
    kinds : dict of bytes to int
        Kinds of track by name, lower case; ``b""`` is number 0.
    objects : dict
        Names of the objects, in order.
    settings : dict of str to str
    diameters_mm : dict of int to float
        Diameter of the filament of each tool, from 0.
    height_mm : float
        Height of the print as the slicer announces it; 0 when it does not.
    layers : int
        Number of layers the slicer announces; 0 when it does not.
    thumbnails : list of Thumbnail
    """

    def __init__(self) -> None:
        self.kinds: dict[bytes, int] = {b"": 0}
        self.objects: dict[str, None] = {}
        self.settings: dict[str, str] = {}
        self.diameters_mm: dict[int, float] = {}
        self.layers = 0
        self.height_mm = 0.0
        self.thumbnails: list[Thumbnail] = []
        self._picture: list[bytes] | None = None
        self._picture_bytes = 0
        self._cura = bytearray()
        self._length_mm = self._volume_mm3 = 0.0

    @property
    def in_picture(self) -> bool:
        """Whether the lines are those of a picture."""
        return self._picture is not None

    def take(self, comment: bytes) -> Effect | None:
        """Take the comment of a line that holds nothing else, from its ``;`` on.

        Returns
        -------
        Effect or None
            What it does each time it is met; None where that depends on what stands before it.
        """
        if self._picture is not None:
            self._picture_line(self._picture, comment)
            return None
        if found := _TYPE.match(comment):
            name = next(name for name in found.groups() if name).strip().lower()[:40]
            return Effect(kind=self.kinds.setdefault(name, len(self.kinds) % 1000))
        if comment.startswith(b";WIDTH:"):
            return Effect(width_mm=max(plain(comment[7:]), 0.0))
        if comment.startswith(b"; LINE_WIDTH:"):
            return Effect(width_mm=max(plain(comment[13:]), 0.0))
        if named := _OBJECT.match(comment):
            # PrusaSlicer describes its objects as JSON.
            described = _JSON_NAME.search(named[1]) if named[1].startswith(b"{") else None
            name = text_of(described[1] if described else named[1], 80)
            if name != "NONMESH":
                self.name_object(name)
        elif b"thumbnail" in comment[:20] and b"begin" in comment and len(self.thumbnails) < _MOST_THUMBNAILS:
            self._picture, self._picture_bytes = [], 0
            return None
        elif made := _MADE_BY.match(comment):
            self.settings.setdefault("generated by", text_of(made.group(1)))
        elif part := _CURA_SETTINGS.match(comment):
            # The settings that the user changed, as text broken anywhere.
            if len(self._cura) < _CURA_BYTES:
                self._cura += part[1]
            return None
        else:
            self._setting(comment)
        return Effect()

    def name_object(self, name: str) -> None:
        """Note the name of an object that is printed."""
        if len(self.objects) < _MOST_OBJECTS:
            self.objects[name] = None

    def finish(self) -> None:
        """Take the end of the file."""
        self._diameter(bytes(self._cura))
        if not self.diameters_mm and self._length_mm > 0.0 and self._volume_mm3 > 0.0:
            diameter = math.sqrt(4.0 / math.pi * self._volume_mm3 / self._length_mm)
            if _THINNEST_MM < diameter < _THICKEST_MM:
                self.diameters_mm[0] = round(diameter, 2)

    def _setting(self, comment: bytes) -> None:
        setting = _SETTING.match(comment)
        if setting and (key := setting.group(1).decode().strip().lower()) in _KEPT_SETTINGS:
            self.settings.setdefault(key, text_of(setting.group(2)))
        lowered = comment.lower()
        if b"dia" in lowered:
            self._diameter(comment)
        elif height := _HEIGHT.match(comment):
            self.height_mm = plain(height[1])
        elif b"layer" in lowered and (count := _LAYERS.match(comment)):
            self.layers = int(count[1])
        elif b"filament" in lowered or b"volume" in lowered:
            self._used(comment)

    def _diameter(self, text: bytes) -> None:
        for found in _DIAMETER.finditer(text):
            values = [plain(word) for word in re.split(rb"[,|; ]+", found[2])]
            first = max(int(found[1]) - 1, 0) if found[1] else 0
            for k, value in enumerate(values[:100]):
                if _THINNEST_MM < value < _THICKEST_MM:
                    self.diameters_mm.setdefault(first + k, value)

    def _used(self, comment: bytes) -> None:
        if (length := _USED_LENGTH.search(comment)) and not self._length_mm:
            self._length_mm = plain(length[1])
        if (volume := _USED_VOLUME.search(comment)) and not self._volume_mm3:
            cubic_mm = volume[3] is not None or (volume[1] or b"").lower() == b"mm3"
            self._volume_mm3 = plain(volume[2] or volume[4]) * (1.0 if cubic_mm else 1000.0)

    def _picture_line(self, picture: list[bytes], comment: bytes) -> None:
        if b"thumbnail" in comment and b"end" in comment:
            try:
                data = base64.b64decode(b"".join(picture), validate=True)
                self.thumbnails.append(Thumbnail(f"thumbnail {len(self.thumbnails) + 1}", data))
            except (binascii.Error, ValueError):
                pass
            self._picture = None
        else:
            picture.append(comment.lstrip(b"; "))
            self._picture_bytes += len(comment)
            if self._picture_bytes > _THUMBNAIL_BYTES:
                raise HostileFileError(f"a picture in the comments has more than {_THUMBNAIL_BYTES} bytes")


def plain(word: bytes) -> float:
    """Return a word as a number; what is none counts as 0."""
    try:
        value = float(word)
    except ValueError:
        return 0.0
    return value if math.isfinite(value) else 0.0
