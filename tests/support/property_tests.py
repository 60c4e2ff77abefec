"""How often a property is tried: few times with every change, a hundred and more in the slow run."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import settings

#: Examples of a property that says no number of its own, and the most that any tries, with every change.
FAST = 40
#: The same where the environment says BALLISTICS_PROPERTIES=often, as ``make test-slow`` does.
OFTEN = 100
IS_OFTEN = os.environ.get("BALLISTICS_PROPERTIES") == "often"


def examples(fast: int, often: int = OFTEN, **others: Any) -> settings:
    """Return the settings of a property: its number of examples with every change, and in the slow run.

    Parameters
    ----------
    fast : int
        With every change; at most `FAST`.
    often : int
        In the slow run: fewer than `OFTEN` where an example costs a tenth of a second.
    **others
        Further settings of hypothesis.
    """
    assert fast <= FAST, f"{fast} examples with every change; at most {FAST}, more in the slow run"
    return settings(max_examples=often if IS_OFTEN else fast, **others)
