"""How one scan lies on another: a turn about the centre, then a shift."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Pose:
    """How B lies on A: turned about its own centre, then shifted.

    The centre of a scan or mark is the centre of its array. With x to the right and y down, as a picture is shown,
    a point at (x, y) from the centre of B lies at (x cos θ + y sin θ + dx, y cos θ − x sin θ + dy) from the centre of
    A; a positive angle turns counter-clockwise on the screen, as `numpy.rot90` does.

    Parameters
    ----------
    theta_deg : float
        Turn in degrees.
    dx_um, dy_um : float
        Shift in µm, to the right and down.
    """

    theta_deg: float = 0.0
    dx_um: float = 0.0
    dy_um: float = 0.0

    def apply(self, x_um: float, y_um: float) -> tuple[float, float]:
        """Return where a point of B, (x, y) from its centre, lies from the centre of A.

        Examples
        --------
        >>> x, y = Pose(90.0, 0.0, 5.0).apply(10.0, 0.0)
        >>> round(x, 9), round(y, 9)
        (0.0, -5.0)
        """
        cos, sin = self.cos_sin()
        return x_um * cos + y_um * sin + self.dx_um, y_um * cos - x_um * sin + self.dy_um

    def cos_sin(self) -> tuple[float, float]:
        """Return cos θ and sin θ."""
        theta = math.radians(self.theta_deg)
        return math.cos(theta), math.sin(theta)

    def inverse(self) -> Pose:
        """Return how A lies on B.

        Examples
        --------
        >>> pose = Pose(30.0, 10.0, -4.0)
        >>> x, y = pose.inverse().apply(*pose.apply(7.0, 3.0))
        >>> round(x, 9), round(y, 9)
        (7.0, 3.0)
        """
        cos, sin = self.cos_sin()
        return Pose(-self.theta_deg, sin * self.dy_um - cos * self.dx_um, -sin * self.dx_um - cos * self.dy_um)

    def after(self, first: Pose) -> Pose:
        """Return the pose that applies ``first`` and then this one; the angle is between −180 and 180 degrees."""
        dx, dy = self.apply(first.dx_um, first.dy_um)
        return Pose((self.theta_deg + first.theta_deg + 180.0) % 360.0 - 180.0, dx, dy)
