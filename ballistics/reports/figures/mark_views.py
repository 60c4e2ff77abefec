"""The pictures of one mark under the comparison microscope."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ballistics.reports.figures.pictures import Picture


@dataclass(frozen=True)
class MarkViews:
    """A mark as relief and in the colours of its heights.

    Parameters
    ----------
    relief, heights : Picture
    leaning : tuple of Picture, optional
        How far the surface leans to the right and down, to light it anew; None for an image.
    """

    relief: Picture
    heights: Picture
    leaning: tuple[Picture, Picture] | None = None

    def moved(self, lag_um: float, stretch: float) -> MarkViews:
        """Return the views stretched about their middle and moved to the right."""

        def placed(picture: Picture) -> Picture:
            return replace(picture, left_um=stretch * picture.left_um + lag_um, width_um=stretch * picture.width_um)

        leaning = None if self.leaning is None else (placed(self.leaning[0]), placed(self.leaning[1]))
        return MarkViews(placed(self.relief), placed(self.heights), leaning)


@dataclass(frozen=True)
class Frame:
    """The part of the plane that the views of both marks are shown in."""

    left_um: float
    top_um: float
    width_um: float
    height_um: float
