"""Code lists: the words that records may use, as versioned data files that a laboratory can extend.

The lists of this program lie in ``lists``. A laboratory puts files of the same names into the folder ``lists`` of its
library: their entries are added, those with a known code take the place of ours. A record keeps the versions that held
when it was made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ballistics.casework.fields import Record
from ballistics.errors import CorruptFileError, ParameterError
from ballistics.evidence import languages
from ballistics.files import load_json
from ballistics.methods import mark_kinds
from ballistics.printed import Taxonomy

SCHEMA = "ballistics/code-list"
_FOLDER = Path(__file__).parent / "lists"
_MOST_BYTES = 1 << 20


@dataclass(frozen=True)
class CodeList:
    """The words that a field may hold.

    Parameters
    ----------
    name : str
        As fields name it: ``"item types"``.
    version : str
        Of the list; of the laboratory's additions after a plus sign.
    source : str
        Where the words come from.
    means : mapping
        Word to what it means, in the order in which they are offered.
    steps : mapping
        For scales and checklists: word to its steps.
    """

    name: str
    version: str
    source: str
    means: Mapping[str, str]
    steps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class CodeLists:
    """All code lists, with the additions of a laboratory.

    Parameters
    ----------
    folder : Path, optional
        Where the laboratory's own lists lie; there need not be any.

    Examples
    --------
    >>> lists = CodeLists()
    >>> lists["marking conditions"].means["obliterated"]
    'ground off or punched over'
    >>> "breech face" in lists["mark types"].means
    True
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self._own: dict[str, CodeList] = {}

    def __getitem__(self, name: str) -> CodeList:
        if name not in self._own:
            standard = _standard()[name]
            path = None if self.folder is None else self.folder / _file_name(name)
            self._own[name] = standard if path is None or not path.is_file() else _with(standard, _read(path))
        return self._own[name]

    def names(self) -> tuple[str, ...]:
        """Return the names of all lists."""
        return tuple(sorted(_standard()))

    def check(self, record: Record) -> dict[str, str]:
        """Check that the words of a record stand in their lists.

        Returns
        -------
        dict
            Versions of the lists that were asked, by name.

        Raises
        ------
        ParameterError
            Naming the field, the word, and the words that it may hold.
        """
        versions = {}
        for name, (list_name, words) in record.listed_words().items():
            known = self[list_name]
            versions[list_name] = known.version
            for word in words:
                if word not in known.means:
                    raise ParameterError(
                        f"'{name}' of {record.KIND} '{record.id}' holds '{word}'; it may: {', '.join(known.means)}. "
                        f"The list can be extended: {_file_name(list_name)} in the folder 'lists' of the library"
                    )
        return versions

    def check_step(self, list_name: str, word: str, steps: tuple[str, ...]) -> None:
        """Check that steps are those of a scale, or points those of a checklist.

        Parameters
        ----------
        list_name : str
            The list of the scales or checklists.
        word : str
            Which of them.
        steps : tuple of str
            What is to be one of its steps.

        Raises
        ------
        ParameterError
            Naming the step and those there are.
        """
        known = self[list_name].steps.get(word, ())
        for step in steps:
            if step not in known:
                raise ParameterError(f"'{word}' has no step '{step}'; it has: {', '.join(known)}")


@cache
def _standard() -> Mapping[str, CodeList]:
    found = {each.name: each for each in map(_read, sorted(_FOLDER.glob("*.json")))}
    taxonomy = Taxonomy.load()
    for made in (
        CodeList("mark types", "1", "ballistics.methods", {kind: kind for kind in mark_kinds()}),
        CodeList("languages", "1", "ballistics.evidence", {code: code for code in languages()}),
        CodeList(
            "printed categories",
            taxonomy.version,
            taxonomy.source,
            {each.id: each.title for each in taxonomy.categories},
        ),
    ):
        found[made.name] = made
    return found


def _file_name(name: str) -> str:
    return f"{name.replace(' ', '-')}.json"


def _read(path: Path) -> CodeList:
    content = load_json(path, "a code list", most_bytes=_MOST_BYTES)
    try:
        if content["schema"] != SCHEMA:
            raise KeyError("schema")
        entries: list[Mapping[str, Any]] = content["entries"]
        found = CodeList(
            str(content["name"]),
            str(content["version"]),
            str(content["source"]),
            {str(entry["code"]): str(entry["means"]) for entry in entries},
            {str(entry["code"]): tuple(map(str, entry["steps"])) for entry in entries if "steps" in entry},
        )
    except (KeyError, TypeError) as error:
        raise CorruptFileError(
            f"{path} is not a code list ({SCHEMA}): {error} is missing or not as it must be"
        ) from error
    if _file_name(found.name) != path.name or len(found.means) != len(entries) or not all(found.means):
        raise CorruptFileError(
            f"{path} is not a code list: its name is '{found.name}', or a code is empty or stands twice"
        )
    return found


def _with(standard: CodeList, own: CodeList) -> CodeList:
    return CodeList(
        standard.name,
        f"{standard.version}+{own.version}",
        f"{standard.source}; {own.source}",
        {**standard.means, **own.means},
        {**standard.steps, **own.steps},
    )
