"""The pages of a validation study: criteria first, the worst pairs with pictures, a bounded size."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from study_cases import made_up_study

from ballistics.reports.contents.study_contents import score_names
from ballistics.reports.figures.pair_pictures import LARGEST_POINTS, pair_pictures
from ballistics.reports.pages.study import study_report
from ballistics.reports.pages.study_pairs import withheld_cards, worst_cards
from ballistics.studies.acceptance import with_verdicts
from ballistics.studies.criteria import Criteria, Criterion
from ballistics.surfaces.pose import Pose
from ballistics.surfaces.surface import Mark

# Its fixture alone costs seconds.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def judged():
    criterion = Criterion("AUC", "similarity", "at least", 0.98, "limit")
    return with_verdicts(made_up_study(), Criteria("Lab <b>X</b>", (criterion,), "ab" * 32, "c.toml"), 0)


@pytest.fixture(scope="module")
def html(judged):
    return study_report(judged)


def test_criteria_come_first_and_say_not_met(judged, html):
    first = html.index('id="acceptance"')
    assert first < html.index("What was tested</h2>")
    assert "Acceptance criteria are NOT met." in html
    assert "ab" * 32 in html
    assert "given before any pair was compared" in html
    # A name is text, never markup.
    assert "Lab &lt;b&gt;X&lt;/b&gt;" in html


@pytest.mark.slow
def test_without_criteria_it_says_so(judged):
    assert "No acceptance criteria were stated" in study_report(replace(judged, acceptance=None))


def test_the_worst_pairs_stand_on_the_page_with_pictures(judged, html):
    cards = [*worst_cards(judged, True), *worst_cards(judged, False), *withheld_cards(judged)]
    assert len(withheld_cards(judged)) == 3
    for same_source in (True, False):
        own = worst_cards(judged, same_source)
        assert 10 <= len(own) <= 30
        for score in score_names(judged).values():
            assert sum(f"{score}:" in card.ranks for card in own) == 10
        # The headline's own first.
        assert [card.ranks.split(";")[0].split(":")[0] for card in own[:10]] == ["similarity (nats)"] * 10
    assert html.count('<figure class="pair">') == len(cards)
    assert html.count('alt="mark of') == 2 * len(cards)
    for card in cards:
        assert f"<b>{card.scans[0]} – {card.scans[1]}</b>" in html
    lowest = worst_cards(judged, True)[0]
    assert "similarity (nats): 1st lowest" in lowest.ranks
    assert re.fullmatch(r"\d+ nats over 3.00 mm²", lowest.scores[0][1])


def test_a_picture_has_a_largest_size():
    # Noise cannot be compressed: no mark costs more.
    heights = np.random.default_rng(1).normal(size=(900, 900)).astype(np.float32)
    mark = Mark("breech face", heights, 6.25, "topography")
    for picture in pair_pictures(mark, mark, Pose(0.0, 0.0, 0.0)):
        assert len(picture.uri) < 1.4 * LARGEST_POINTS**2


def test_marks_of_images_are_drawn_in_grey():
    heights = np.random.default_rng(1).normal(size=(80, 80)).astype(np.float32)
    mark = Mark("breech face", heights, 6.25, "reflectance")
    relief = Mark("breech face", heights, 6.25, "topography")
    pose = Pose(10.0, 0.0, 0.0)
    assert pair_pictures(mark, mark, pose)[0].uri != pair_pictures(relief, relief, pose)[0].uri


def test_both_marks_are_drawn_in_one_frame():
    heights = np.random.default_rng(1).normal(size=(80, 80)).astype(np.float32)
    mark = Mark("breech face", heights, 6.25, "topography")
    a, b = pair_pictures(mark, mark, Pose(0.0, 100.0, 0.0))
    assert (a.left_um, a.top_um, a.width_um, a.height_um) == (b.left_um, b.top_um, b.width_um, b.height_um)
    assert a.uri != b.uri
    same, again = pair_pictures(mark, mark, Pose(0.0, 0.0, 0.0))
    assert same.uri == again.uri


def test_pdf_holds_the_same(judged):
    pytest.importorskip("typst")
    from ballistics.reports.pages.study_pdf import study_pdf

    assert study_pdf(judged).startswith(b"%PDF-")


def test_long_names_may_break_and_hashes_stay_whole():
    from ballistics.reports.pages.breaking import breakable

    name = "DFSC_RugerSR9_K004xC1_breech-face_operator-X.x3p"
    data = breakable({"a": [name, "ab" * 32, 3, None], "b": ("short name",)})
    assert data["a"][0].replace("\N{ZERO WIDTH SPACE}", "") == name
    assert max(map(len, data["a"][0].split("\N{ZERO WIDTH SPACE}"))) == 10
    assert data["a"][1:] == ["ab" * 32, 3, None]
    assert data["b"] == ["short name"]


@pytest.mark.slow
def test_a_study_of_bullets_speaks_of_barrels(judged):
    study = replace(judged, scored=replace(judged.scored, mark_kind="bullet"), acceptance=None)
    page = study_report(study)
    own = re.sub(r"(?s)<style.*?</style>|<script.*?</script>|<img[^>]*>|<section id=\"scans\".*", "", page)
    assert "Results by barrel" in own
    assert "Of one barrel, but the result pointed to two" in own
    left = re.findall(r"(?i)[^<>]*\bfirearms?\b[^<>]*", own)
    # Anchors, and a name of the made-up table.
    assert not [text for text in left if "#firearms" not in text and 'id="' not in text and "case 0" not in text]
    assert not re.findall(r"(?i)[^<>]*\bcartridge\b[^<>]*", own)
    land = study_report(replace(study, scored=replace(judged.scored, mark_kind="land engraved area")))
    assert "Results by land" in land
    assert "two of one barrel are two sources" in land
