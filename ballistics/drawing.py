"""What every picture shares: axes, round lengths of scale bars, and the short HTML that notebooks show."""

from __future__ import annotations

import base64
import html
import io
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Pictures in a notebook: small, so that a list of results can be read through.
_NOTEBOOK_INCHES, _NOTEBOOK_DPI = (3.6, 2.8), 90


def new_axes() -> Axes:
    """Return axes of a new figure: one that is shown where matplotlib shows figures."""
    import matplotlib.pyplot as plt

    axes: Axes = plt.subplots(layout="constrained")[1]
    return axes


def round_length(longest: float) -> float:
    """Return the greatest 1, 2 or 5 times a power of ten that is not longer.

    Examples
    --------
    >>> round_length(730.0)
    500.0
    """
    power = 10.0 ** math.floor(math.log10(longest))
    return max(step * power for step in (1.0, 2.0, 5.0) if step * power <= longest)


def figure_html(text: str, draw: Callable[[Axes], Any]) -> str:
    """Return the HTML that a notebook shows for a result: its line of text and a small picture.

    Parameters
    ----------
    text : str
        One line, escaped here.
    draw : callable
        Draws into the axes that it is given.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=_NOTEBOOK_INCHES, layout="constrained")
    draw(figure.subplots())
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=_NOTEBOOK_DPI, metadata={"Software": None})
    encoded = base64.b64encode(picture.getvalue()).decode("ascii")
    return f'<div>{html.escape(text)}<br><img alt="" src="data:image/png;base64,{encoded}"></div>'


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun in the right form.

    Parameters
    ----------
    number : int
    noun : str
        In the singular.
    plural : str
        Where it is not the singular with an s.

    Examples
    --------
    >>> counted(1, "finding"), counted(3, "finding"), counted(2, "family", "families")
    ('1 finding', '3 findings', '2 families')
    """
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
