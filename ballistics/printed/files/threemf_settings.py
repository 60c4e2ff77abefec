"""What slicers write beside the model of a 3MF package about its meshes: cutters, modifiers and support volumes."""

from __future__ import annotations

from dataclasses import dataclass, field

from ballistics.errors import HostileFileError, ReadError
from ballistics.files import SafeArchive
from ballistics.findings import Finding
from ballistics.printed.content.bounds import text_of
from ballistics.printed.content.roles import role_of
from ballistics.printed.content.xml_stream import MOST_PACKED, XmlTarget, index, parse

_MOST_ENTRIES = 20_000


@dataclass
class SlicerSettings:
    """Which meshes of the package's model are no solid parts.

    Parameters
    ----------
    ranges : list of (object, first triangle, last triangle, name, word)
        PrusaSlicer and SuperSlicer; of each object the last range first.
    parts : list of (object, object placed in it, name, word)
        Bambu Studio and OrcaSlicer.
    plates : dict of (object, copy) to dict
        Number and name of the plate on which a copy of an object lies; Bambu Studio and OrcaSlicer.
    """

    ranges: list[tuple[int, int, int, str, str]] = field(default_factory=list)
    parts: list[tuple[int, int, str, str]] = field(default_factory=list)
    plates: dict[tuple[int, int], dict[str, str]] = field(default_factory=dict)


class _Settings(XmlTarget):
    """Collects the volumes and parts of a settings file that have a role."""

    def __init__(self) -> None:
        super().__init__()
        self.found = SlicerSettings()
        self._object = -1
        self._range = (0, -1)
        self._part = -1
        self._name = self._word = ""
        self._plate: dict[str, str] = {}
        self._instance: dict[str, str] = {}

    def opened(self, name: str, attributes: dict[str, str]) -> None:
        if name == "object":
            self._object = index(attributes.get("id"), "the id of an object")
        elif name in ("volume", "part"):
            self._name, self._word = "", attributes.get("subtype", "")
            if name == "volume":
                self._range = tuple(index(attributes.get(k), k) for k in ("firstid", "lastid"))  # type: ignore[assignment]
            else:
                self._part = index(attributes.get("id"), "the id of a part")
        elif name == "plate":
            self._plate = {}
        elif name == "model_instance":
            self._instance = {}
        elif name == "metadata":
            key, value = attributes.get("key", ""), attributes.get("value", "")
            if key in ("object_id", "instance_id"):
                self._instance[key] = value
            elif key in ("plater_id", "plater_name") and value:
                self._plate["plate" if key == "plater_id" else "plate name"] = text_of(value, 80)
            if key == "name":
                self._name = text_of(value.encode("utf-8", "replace"), 80)
            elif key == "volume_type":
                self._word = value
            elif key == "modifier" and value not in ("", "0"):
                self._word = self._word or "modifier"

    def closed(self, name: str, text: str) -> None:
        if name == "model_instance" and len(self.found.plates) < _MOST_ENTRIES:
            key = (
                index(self._instance.get("object_id"), "object_id"),
                index(self._instance.get("instance_id"), "copy"),
            )
            self.found.plates[key] = self._plate
        if name not in ("volume", "part") or not role_of(self._word):
            return
        word = text_of(self._word.encode("utf-8", "replace"), 40)
        if name == "volume":
            self.found.ranges.append((self._object, *self._range, self._name, word))
        else:
            self.found.parts.append((self._object, self._part, self._name, word))
        if len(self.found.ranges) + len(self.found.parts) > _MOST_ENTRIES:
            raise HostileFileError(f"the settings name more than {_MOST_ENTRIES} volumes")


def slicer_settings(archive: SafeArchive, findings: list[Finding]) -> SlicerSettings:
    """Return what the settings in a package say about its meshes; what cannot be read of them is a finding.

    Parameters
    ----------
    archive : SafeArchive
    findings : list of Finding
        Is added to.

    Raises
    ------
    HostileFileError
    """
    both = SlicerSettings()
    for name in archive.names():
        lowered = name.lower()
        if not (lowered.startswith("metadata/") and lowered.endswith(("model.config", "model_settings.config"))):
            continue
        settings = _Settings()
        try:
            archive.refuse_bomb(name, MOST_PACKED)
            parse(archive.chunks(name), settings, name)
        except HostileFileError:
            raise
        except ReadError as error:
            message = f"{error}: which meshes are cutters or modifiers is not known"
            findings.append(Finding("settings-unreadable", "warning", message, "all are read as solid parts"))
            continue
        both.ranges += settings.found.ranges
        both.parts += settings.found.parts
        both.plates |= settings.found.plates
    both.ranges.sort(key=lambda entry: entry[1], reverse=True)
    return both
