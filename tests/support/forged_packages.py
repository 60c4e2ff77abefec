"""Packages that are forged from a good one, and the proof that a refused one changes nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import pytest
from laboratories import files_of, n_entries

from ballistics.exchange import import_package
from ballistics.exchange.envelope import PACKAGE, new_envelope, signed


class Scene:
    """Two laboratories, a good package, and what forgeries are made of it."""

    def __init__(self, folder, skopje, sarajevo, good):
        self.folder, self.skopje, self.sarajevo, self.good = folder, skopje, sarajevo, good
        with ZipFile(good) as archive:
            self.members = {name: archive.read(name) for name in archive.namelist()}
        self.content = json.loads(self.members["manifest.json"])["content"]

    def refused(self, path, error, match):
        before = n_entries(self.sarajevo), files_of(self.sarajevo)
        with pytest.raises(error, match=match):
            import_package(self.sarajevo, path)
        assert (n_entries(self.sarajevo), files_of(self.sarajevo)) == before

    def zipped(self, members, packing=ZIP_STORED):
        path = self.folder / "forged.package"
        with ZipFile(path, "w", packing) as archive:
            for name, data in members:
                archive.writestr(ZipInfo(name) if packing == ZIP_STORED else name, data)
        return path

    def manifest(self, members, key=None, **changed):
        """Sign a manifest anew, as only the partner can: what it lists is then what the archive holds."""
        key = key or self.skopje.key
        envelope = new_envelope(PACKAGE, self.skopje.identifier, "Skopje", key, self.sarajevo.identifier, "2999-01-31")
        own = {name: changed.pop(name) for name in list(changed) if name in envelope.__dataclass_fields__}
        listed = [{"name": n, "bytes": len(d), "sha256": sha256(d).hexdigest()} for n, d in members]
        names = ("purpose", "legal_basis", "handling", "answers", "withdrawn", "contents")
        fields = {**{name: self.content[name] for name in names}, "members": listed, **changed}
        return signed(key, replace(envelope, **own), fields)

    def forged(self, members=None, key=None, **changed):
        if members is None:
            members = [(name, data) for name, data in self.members.items() if name != "manifest.json"]
        return self.zipped([("manifest.json", self.manifest(members, key, **changed)), *members])
