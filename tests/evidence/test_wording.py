"""The verbal scale and the sentences: bands, languages, number before words, nothing forbidden."""

from __future__ import annotations

import gettext
import json
import re
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballistics.errors import CorruptFileError, ParameterError
from ballistics.evidence.likelihood_ratio import LikelihoodRatio, Propositions
from ballistics.evidence.models.bounds import Bounds
from ballistics.evidence.wording.catalogues import confirmed, languages, read_po, translations
from ballistics.evidence.wording.sentences import MESSAGES, format_ratio, phrase
from ballistics.evidence.wording.verbal_scale import VerbalScale

OTHERS = ("mk", "sq", "sr", "bs", "cnr", "ro")
KEYS = [*MESSAGES, *(band.words for band in VerbalScale.load().bands)]


def result(value=2.85, status="evaluated", **changes):
    given = {"interval": None if value is None else (value - 0.5, value + 0.25)} | changes
    return LikelihoodRatio(status, "Fadul", 63, 717, 10, Propositions(), value, bounds=Bounds(-2, 3, "test"), **given)


@pytest.mark.parametrize(
    ("lr", "words"),
    [
        (1.0001, "weak"),
        (9.999, "weak"),
        (10, "moderate"),
        (99.99, "moderate"),
        (100, "moderately strong"),
        (999.9, "moderately strong"),
        (1000, "strong"),
        (9999, "strong"),
        (10_000, "very strong"),
        (999_999, "very strong"),
        (1_000_000, "extremely strong"),
        (1e30, "extremely strong"),
    ],
)
def test_bands_are_half_open_and_reciprocal(lr, words):
    from math import log10

    scale = VerbalScale.load()
    assert scale.band(log10(lr)).words == f"{words} support"
    assert scale.band(-log10(lr)).words == f"{words} support"


def test_the_scale_names_its_source():
    scale = VerbalScale.load()
    assert "ENFSI" in scale.source
    assert "10.1016/j.forsciint.2020.110502" in scale.source
    assert scale.band(0.0) is None


def test_a_lab_brings_its_own_scale(tmp_path):
    path = tmp_path / "scale.json"
    bands = [{"from": 1, "words": "some support", "translations": {"mk": "извесна поддршка"}}]
    content = {"schema": "ballistics/verbal-scale/1", "name": "Ours", "version": "7", "source": "us", "bands": bands}
    path.write_text(json.dumps(content))
    scale = VerbalScale.load(path)
    assert "some support for proposition 1" in phrase(result(), "en", scale).words[0]
    assert "извесна поддршка за хипотезата 1" in phrase(result(), "mk", scale).words[0]
    assert "Ours" in phrase(result(), "en", scale).words[1]
    for damage in ([], [{"from": 2, "words": "x"}], [*bands, {"from": 1, "words": "y"}], [{"from": 1, "words": ""}]):
        path.write_text(json.dumps(content | {"bands": damage}))
        with pytest.raises(CorruptFileError):
            VerbalScale.load(path)


def test_english_in_full():
    wording = phrase(result(2.8493, bound="upper", interval=(1.0, 2.8493)))
    assert wording.sentences == (
        "Proposition 1: The two items were marked by the same firearm.",
        "Proposition 2: The two items were marked by different firearms.",
        "The findings are 706 times more probable if proposition 1 is true than if proposition 2 is true.",
        "Likelihood ratio: 706; 5 % to 95 % interval: 10 to 706.",
        "This value is at the bound: the reference population cannot support a more extreme one.",
        "In words: moderately strong support for proposition 1 relative to proposition 2.",
        f"Verbal scale: ENFSI 2015 ({VerbalScale.load().source})",
        "Reference population: Fadul; same-source pairs: 63; different-source pairs: 717; firearms: 10.",
        "This is a statement about the findings; it does not say how probable either proposition is.",
    )


def test_the_other_direction_and_no_direction():
    against = phrase(result(-1.8056))
    assert "63.9 times more probable if proposition 2 is true" in against.number[0]
    assert "0.0157" in against.number[1]
    assert "moderate support for proposition 2 relative to proposition 1" in against.words[0]
    neither = phrase(result(0.0))
    assert "equally probable" in neither.number[0]
    assert "no support" in neither.words[0]


@pytest.mark.parametrize("status", ["insufficient", "outside range", "refused"])
@pytest.mark.parametrize("language", ["en", *OTHERS])
def test_without_a_value_there_are_no_words_of_support(status, language):
    wording = phrase(result(None, status, reason="because of this"), language)
    assert wording.words == ()
    assert "because of this" in wording.number[0]
    assert not re.search(r"\d+ (times|пати|пута|puta|herë|ori)", " ".join(wording.number))


@pytest.mark.parametrize("language", OTHERS)
def test_every_catalogue_is_complete_and_keeps_the_placeholders(language):
    catalogue = translations(language)
    assert isinstance(catalogue, gettext.GNUTranslations)
    assert catalogue.info()["x-status"] == "to be confirmed by the lab"
    assert not confirmed(language)
    for key in KEYS:
        text = catalogue.gettext(key)
        assert text != key, key
        assert [f[1] for f in Formatter().parse(text)].count(None) <= 1
        assert {f[1] for f in Formatter().parse(text) if f[1]} == {f[1] for f in Formatter().parse(key) if f[1]}
    sentences = phrase(result(2.345), language).sentences
    assert catalogue.gettext("Translation to be confirmed by the laboratory.") in sentences
    assert any("221" in sentence for sentence in sentences)


@pytest.mark.parametrize(
    ("language", "wanted", "forbidden"),
    [
        ("mk", "јѓќљњџшчж", "ђћйщыъэ"),
        ("sr", "јљњшчж", "ѓќйщыъэ"),
        ("bs", "šžčđ", "ățșë"),
        ("cnr", "šžčđ", "ățșë"),
        ("sq", "ëç", "šžăț"),
        ("ro", "ășțâîă", "şţ"),  # comma below, not cedilla
    ],
)
def test_letters(language, wanted, forbidden):
    letters = "".join(translations(language).gettext(key) for key in KEYS).lower()
    assert not set(letters) & set(forbidden)
    assert len(set(letters) & set(wanted)) >= 2
    if language in ("mk", "sr"):
        without_fields = re.sub(r"\{[a-z]+\}", "", letters)
        assert not re.search("[a-z]", without_fields)


def test_nothing_that_must_not_be_said():
    """No "match", no identification, no posterior, in any language."""
    forbidden = re.compile(
        r"match|identif|certain|posterior|идентиф|сигурн|совпаѓ|поклап|podudar|poklap|identifik|përputh|potriv", re.I
    )
    for language in languages():
        for key in KEYS:
            assert not forbidden.search(translations(language).gettext(key)), (language, key)


@pytest.mark.parametrize("language", OTHERS)
def test_decimal_comma(language):
    assert format_ratio(0.5, language) == "3,16"
    assert format_ratio(0.5) == "3.16"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "1"), (1.0, "10"), (3.6112, "4\u202f080"), (-2.5692, "0.0027"), (6.0, "1 × 10⁶"), (-9.0, "1 × 10⁻⁹")],
)
def test_numbers(value, text):
    assert format_ratio(value).replace(".00 ×", " ×") == text


@given(st.floats(-12, 12))
def test_numbers_are_never_rounded_away_from_one(value):
    text = format_ratio(value).replace("\u202f", "")
    base, _, power = text.partition(" × 10")
    exponent = int(power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))) if power else 0
    printed, true = float(base) * 10.0**exponent, 10.0**value
    assert printed == pytest.approx(true, rel=0.0101)
    assert abs(printed - 1) <= abs(true - 1) * (1 + 1e-6) + 1e-9 or printed == pytest.approx(true, rel=1e-7)


def test_unknown_language_and_broken_catalogue(tmp_path):
    with pytest.raises(ParameterError, match="there are: bs, cnr, en"):
        phrase(result(), "xx")
    path = tmp_path / "xx.po"
    for content in ('msgid "a"\nmsgstr "b"\nmsgid "a"\nmsgstr "c"\n', "rubbish\n", "msgid a\n"):
        path.write_text(content)
        with pytest.raises(CorruptFileError):
            read_po(path)
    path.write_text('# comment\nmsgid "a"\n"b"\nmsgstr ""\n"c \\"d\\""\n')
    assert read_po(path) == {"ab": 'c "d"'}


@pytest.mark.parametrize("language", languages())
def test_an_interval_beyond_the_bound_does_not_read_as_precision(language):
    wording = phrase(result(2.85, bound="upper", interval=(2.85, 2.85)), language)
    ratio = format_ratio(2.85, language)
    assert sum(sentence.count(ratio) for sentence in wording.number) == 2  # the statement, and its value: no interval
    assert "95 %" in wording.number[1]
    assert wording.number[1] != phrase(result(2.85, bound="upper", interval=(2.0, 2.85)), language).number[1]
