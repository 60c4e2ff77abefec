"""How often lands in another order agree as well: of few lands by all orders, of many by drawn ones, and never 0."""

from __future__ import annotations

import numpy as np
import pytest

from ballistics.striations.bullets import bullet_of_scores


def in_phase(lands: int) -> np.ndarray:
    """Scores of two bullets whose lands agree two further on."""
    scores = np.ones((lands, lands))
    scores[np.arange(lands), (np.arange(lands) + 2) % lands] = 500.0
    return scores


def test_of_few_lands_all_orders_are_counted():
    assert bullet_of_scores(in_phase(6)).probability == pytest.approx(6 / 720)


def test_of_many_lands_the_order_as_it_is_counts_among_the_drawn_ones():
    # Of all orders of 12 lands 12 / 12! agree as well: none of those drawn does.
    assert bullet_of_scores(in_phase(12)).probability == pytest.approx(1 / 40321)
