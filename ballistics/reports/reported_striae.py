"""One side of a comparison of striated marks as a report shows it: the file, the scan, every step to the signature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.findings import Finding
from ballistics.striations import Land, Signature
from ballistics.surfaces import Mark, Surface


@dataclass(frozen=True, eq=False)
class ReportedStriae:
    """What a report says about one striated mark.

    Parameters
    ----------
    name : str
        Name of the file, without its folder: a report does not depend on where the file is.
    signature : Signature
        What was compared.
    surface : Surface, optional
        The scan as read; None for a signature that was stored or measured as a profile.
    land : Land, optional
        The steps from the scan to the signature, of a land engraved area.
    mark : Mark, optional
        The mark as prepared: the straightened heights that the signature is the mean of.
    own_findings : tuple of Finding
        What was noticed beside, e.g. by `land_width_findings`.
    """

    name: str
    signature: Signature
    surface: Surface | None = None
    land: Land | None = None
    mark: Mark | None = None
    own_findings: tuple[Finding, ...] = ()

    @property
    def straightened(self) -> tuple[NDArray[np.float32], tuple[float, float]] | None:
        """Heights whose columns are the points of the signature, and the spacing of rows and columns; None without."""
        if self.land is not None and self.land.patch is not None:
            return self.land.patch.heights_um, self.land.patch.spacing_um
        if self.mark is not None and self.mark.insufficient is None:
            return self.mark.heights_um, (self.mark.spacing_um, self.mark.spacing_um)
        return None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Those of the scan, then those of the way to the signature, each once."""
        found = (() if self.surface is None else self.surface.findings, self.signature.findings, self.own_findings)
        return tuple(dict.fromkeys(finding for findings in found for finding in findings))
