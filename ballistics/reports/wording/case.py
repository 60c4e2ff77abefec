"""The fixed texts of reports of a case, in a language: sentences, and the words of the code lists.

Catalogues are the ``.po`` files of ``case_texts``, as the evidence room has them for its sentences; the keys are the
English texts. What people wrote in the records is never translated.
"""

from __future__ import annotations

from pathlib import Path

from ballistics.evidence import confirmed, languages, translations

#: Where the catalogues lie.
FOLDER = Path(__file__).with_name("case_texts")


class CaseTexts:
    """The fixed texts in a language.

    Parameters
    ----------
    language : str
        Of `ballistics.evidence.languages`.

    Raises
    ------
    ParameterError
        For a language without a catalogue.

    Examples
    --------
    >>> CaseTexts("en")("Draft {number}", number=2), CaseTexts("mk").word("item types", "bullet")
    ('Draft 2', 'проектил')
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self._catalogue = translations(language, FOLDER)

    def __call__(self, text: str, **values: object) -> str:
        """Return a text in the language, with its values put in."""
        return self._catalogue.gettext(text).format(**values)

    def word(self, code_list: str, code: str) -> str:
        """Return a word of a code list; one that a laboratory added stays as it is."""
        key = f"{code_list}: {code}"
        found = self._catalogue.gettext(key)
        return code if found == key else found

    @property
    def is_confirmed(self) -> bool:
        """Whether a laboratory has confirmed both catalogues of the language."""
        return confirmed(self.language, FOLDER) and confirmed(self.language)


def language_named(language: str) -> str:
    """Return a language's name in that language.

    Examples
    --------
    >>> language_named("mk"), sorted(_NAMES) == sorted(languages())
    ('македонски', True)
    """
    return _NAMES.get(language, language)


_NAMES = {
    "bs": "bosanski",
    "cnr": "crnogorski",
    "en": "English",
    "mk": "македонски",
    "ro": "română",
    "sq": "shqip",
    "sr": "српски",
}
__all__ = ["FOLDER", "CaseTexts", "language_named", "languages"]
