"""The kinds that a laboratory sorts its references into: an editable, versioned file, in the words of the lab."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ballistics.errors import CorruptFileError, ParameterError
from ballistics.files import load_json

SCHEMA = "ballistics/printed-taxonomy/1"
_MOST_BYTES = 16 << 20
_STANDARD = Path(__file__).with_name("taxonomy.json")


@dataclass(frozen=True)
class Category:
    """One kind.

    Parameters
    ----------
    id : str
        What references are marked with; never changes its meaning.
    title, definition : str
        In words.
    """

    id: str
    title: str
    definition: str


@dataclass(frozen=True)
class Taxonomy:
    """All kinds, with the version of the list.

    Parameters
    ----------
    name, version, source : str
        For reports.
    categories : tuple of Category
        In the order of the file.
    """

    name: str
    version: str
    source: str
    categories: tuple[Category, ...]

    @classmethod
    def load(cls, path: str | Path | None = None) -> Taxonomy:
        """Read the list that comes with the package, or a laboratory's own file of the same form.

        Raises
        ------
        ReadError
            When it cannot be opened.
        CorruptFileError
            When the file is no taxonomy: not JSON, a field is missing, an identifier is empty or stands twice.

        Examples
        --------
        >>> taxonomy = Taxonomy.load()
        >>> taxonomy.title("hybrid"), taxonomy.title("")
        ('hybrid', 'no category')
        """
        source = _STANDARD if path is None else Path(path)
        return cls.of(load_json(source, "a taxonomy", most_bytes=_MOST_BYTES), str(source))

    @classmethod
    def of(cls, content: Any, where: str) -> Taxonomy:
        """Return the list that a file's content stands for; errors as of `load`, which name the place ``where``."""
        try:
            if content["schema"] != SCHEMA:
                raise CorruptFileError(f"{where}: schema '{content['schema']}' is not '{SCHEMA}'")
            rows = [(str(row["id"]), str(row["title"]), str(row["definition"])) for row in content["categories"]]
            categories = tuple(Category(*row) for row in rows)
            loaded = cls(str(content["name"]), str(content["version"]), str(content["source"]), categories)
        except (KeyError, TypeError, AttributeError) as error:
            raise CorruptFileError(f"{where} is not a taxonomy: {error!r}") from error
        names = [category.id for category in categories]
        if not all(names) or len(set(names)) < len(names):
            raise CorruptFileError(f"{where}: each category needs an identifier of its own")
        return loaded

    def check(self, identifier: str) -> str:
        """Return an identifier when it is in the list, or none at all.

        Raises
        ------
        ParameterError
            When it is not; the message lists those that are.
        """
        if identifier and identifier not in (category.id for category in self.categories):
            known = ", ".join(category.id for category in self.categories)
            raise ParameterError(f"'{identifier}' is no category of the taxonomy '{self.name}'; use one of {known}")
        return identifier

    def title(self, identifier: str) -> str:
        """Return the words for an identifier; the identifier itself when the list does not have it."""
        if not identifier:
            return "no category"
        return next((category.title for category in self.categories if category.id == identifier), identifier)

    def content(self) -> dict[str, Any]:
        """Return the content of the file, as plain values."""
        return {
            "schema": SCHEMA,
            "name": self.name,
            "version": self.version,
            "source": self.source,
            "categories": [vars(category) for category in self.categories],
        }

    def to_json(self) -> str:
        """Return the file's text, from which `load` reads the same."""
        return json.dumps(self.content(), ensure_ascii=False, indent=1) + "\n"
