"""Similarity and count of one pair that say opposite things are a serious finding."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from ballistics.impressions.comparison import HEADLINE_RULE, ImpressionComparison
from ballistics.impressions.contradiction import contradiction
from ballistics.impressions.similarity import Similarity


def made(nats: float, cells: float, insufficient: str | None = None) -> ImpressionComparison:
    """Return a comparison with a similarity and the headline rule's count; nothing else of the rule is asked for."""
    alike = Similarity(nats, (), 4e6, 100.0, 30.0, 12.0, insufficient)
    return ImpressionComparison("breech face", similarity=alike, rules={HEADLINE_RULE: SimpleNamespace(score=cells)})


@pytest.mark.parametrize(("nats", "cells"), [(784.0, 2), (784.0, 5), (5.0, 6), (-3.0, 20)])
def test_opposed_scores_are_serious(nats, cells):
    (finding,) = contradiction(made(nats, cells))
    assert (finding.code, finding.severity) == ("scores-disagree", "serious")
    assert f"{nats:.0f} nats" in finding.message
    assert f"{cells:.0f}" in finding.message


@pytest.mark.parametrize(("nats", "cells"), [(784.0, 20), (5.0, 0), (125.0, 0), (125.0, 12), (30.0, 6)])
def test_scores_that_agree_or_stand_between_are_not(nats, cells):
    assert contradiction(made(nats, cells)) == ()


def test_without_a_score_there_is_no_contradiction():
    assert contradiction(made(784.0, 0, "too small")) == ()
    assert contradiction(replace(made(784.0, 0), rules={})) == ()
    assert contradiction(ImpressionComparison("breech face")) == ()
