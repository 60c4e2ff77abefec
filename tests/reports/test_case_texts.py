"""Every fixed text of a report of a case is there in every language, with its values, and says no more."""

from __future__ import annotations

import re
from string import Formatter

import pytest
from case_messages import said, words

from ballistics.evidence.wording.catalogues import languages, read_po
from ballistics.reports.wording.case import FOLDER, CaseTexts, language_named

OTHERS = [code for code in languages() if code != "en"]


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_has_exactly_what_is_said_and_keeps_its_values(language):
    messages = read_po(FOLDER / f"{language}.po")
    header = messages.pop("")
    assert f"Language: {language}\n" in header
    assert "X-Status: to be confirmed by the lab" in header
    assert set(messages) == {*said(), *words()}
    for key, text in messages.items():
        assert text
        names = [sorted(name for _, name, _, _ in Formatter().parse(each) if name) for each in (key, text)]
        assert names[0] == names[1], key
        assert key.endswith(".") == text.endswith("."), key
        assert key.isupper() == text.isupper(), key
    assert language_named(language) != language


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_is_written_in_its_own_letters(language):
    messages = read_po(FOLDER / f"{language}.po")
    messages.pop("")
    plain = (re.sub(r"\{\w+\}|`[^`]*`|SHA-256|\b[ABCEN]\b|log10", "", text) for text in messages.values())
    letters = {letter for text in plain for letter in text if letter.isalpha()}
    is_cyrillic = {"Ѐ" <= letter <= "ӿ" for letter in letters}
    assert is_cyrillic == {language in ("mk", "sr")}


def test_words_of_a_laboratory_stay_and_values_are_no_templates():
    t = CaseTexts("mk")
    assert t.word("item types", "shot pellet") == "shot pellet"
    assert CaseTexts("en").word("item types", "bullet") == "bullet"
    assert t("Case {case}", case="{other}") == "Случај {other}"
    assert not t.is_confirmed
    assert CaseTexts("en").is_confirmed
