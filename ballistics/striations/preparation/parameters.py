"""The numbers of the way from a scan to a signature: of lands, and of other striated marks."""

from __future__ import annotations

from dataclasses import dataclass, field

from ballistics.errors import ParameterError
from ballistics.striations.preparation.aperture_shear import ShearParameters
from ballistics.striations.preparation.arcs import ArcParameters
from ballistics.striations.preparation.shoulders import ShoulderParameters
from ballistics.striations.preparation.stria_direction import DirectionParameters


@dataclass(frozen=True)
class LandParameters:
    """The numbers of the way from a scan of a land to its signature.

    Parameters
    ----------
    band_height_um : float
        Rows over this length along the striae make one profile, by their median.
    band_um : tuple of float
        ISO cut-offs of the signature, short and long.
    margin_um : float
        What is left away inside the foot of a shoulder.
    largest_lag_um : float
        How far the striae of a band may lie from where the bands before it lead to expect them.
    lowest_agreement : float
        A band that correlates less with the mean of those aligned before is left out.
    largest_deviation_um : float
        A point of a band this far from the median of all bands is damage.
    largest_sigmas : float
        Heights further off the arc, in its robust standard deviations, are no striae.
    largest_roughness : float
        A single profile is not used where it is rougher from point to point than this multiple of its median: walls,
        dirt, optical noise. Bands need none of it: they are medians of rows. Chosen among none and 1.5 to 4 on every
        second pair of the cross-cuts scanned twice.
    roughness_um : float
        Around a point, over which length roughness is taken; chosen likewise among 20, 40, 80 and 120.
    largest_leap : float
        A single second difference counts no more than this multiple of their median: it is the neighbourhood that is
        looked at.
    radii_mm : tuple of float
        Least and greatest radius of the arc: those of bullets, from under 4 to over 20 mm calibre, with room for
        flattening.
    largest_radius_spread : float
        Robust standard deviation of the radius from band to band, as a share of it, up to which one bullet's arc runs
        along the scan. It is .01 to .06 on the 12 lands at hand, .43 and more on the two cartridge heads.
    least_share : float
        Least share of the bands that must agree.
    fewest_bands : int
        The least number of bands that a point of the signature stands on.
    least_slant : float
        Striae that lean by less, in µm per µm, are not aligned again along their lean.
    largest_scatter_um : float
        A shoulder that scatters more from band to band is said to be uncertain.
    farthest_inside : float
        A groove shoulder lies in the outer part of a scan; this share of its width further in, something else is
        likelier, and it is said.
    largest_step_um : float
        A leap of the heights from one column to the next, at the same column of most bands, is that of a stitched
        scan; more where columns are further apart than 1.5625 µm. On the 12 lands at hand the largest is 1.2 µm.
    convincing, convincing_with_shoulders : float
        Bands that agree better than this, without and with both shoulders, need not be looked at turned by 90°.
    arc : ArcParameters
    shoulders : ShoulderParameters
    ends_um : tuple of float, optional
        Where the land ends, left and right, from the middle of the first column; found when None.
    rows_um : tuple of float, optional
        Which part along the striae is used; all when None.
    """

    band_height_um: float = 60.0
    band_um: tuple[float, float] = (10.0, 400.0)
    margin_um: float = 25.0
    largest_lag_um: float = 12.0
    lowest_agreement: float = 0.5
    largest_deviation_um: float = 3.0
    largest_sigmas: float = 12.0
    largest_roughness: float = 2.0
    roughness_um: float = 20.0
    largest_leap: float = 20.0
    radii_mm: tuple[float, float] = (1.5, 15.0)
    largest_radius_spread: float = 0.3
    least_share: float = 0.2
    fewest_bands: int = 3
    least_slant: float = 0.02
    largest_scatter_um: float = 10.0
    farthest_inside: float = 0.25
    largest_step_um: float = 2.5
    convincing: float = 0.6
    convincing_with_shoulders: float = 0.35
    arc: ArcParameters = field(default_factory=ArcParameters)
    shoulders: ShoulderParameters = field(default_factory=ShoulderParameters)
    ends_um: tuple[float, float] | None = None
    rows_um: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if not 0 < self.band_um[0] < self.band_um[1]:
            raise ParameterError(f"the band is {self.band_um} µm; give the short cut-off, then the long one")
        if self.ends_um is not None and not self.ends_um[0] < self.ends_um[1]:
            raise ParameterError(f"the land ends at {self.ends_um} µm; give its left end, then its right one")
        if self.band_height_um <= 0 or self.fewest_bands < 1:
            raise ParameterError("a band has a height above 0, and a point stands on at least one band")


@dataclass(frozen=True)
class StriatedMarkParameters:
    """The numbers of the way from a scan of a striated mark to its signature.

    Parameters
    ----------
    band_um : tuple of float, optional
        ISO cut-offs of the signature, short and long; by default those of the kind, see `STRIATED_BANDS_UM`.
    direction_deg : float, optional
        In which direction the striae run, counter-clockwise from the rows as displayed; found when None.
    band_height_um : float
        Rows over this length along the striae make one profile, by their median; less where the mark is short.
    largest_lag_um : float
        How far the striae of a band may lie from where the bands before it lead to expect them.
    lowest_agreement : float
        A band that correlates less with the mean of those aligned before is left out.
    largest_deviation_sigmas : float
        A point of a band this far from the median of all bands, in robust standard deviations of the mark's heights,
        is damage.
    fewest_bands : int
        The least number of bands that a point of the signature stands on.
    bands_needed : int
        Least number of bands that a mark is cut into, and that must agree.
    least_share : float
        Least share of the area around which the relief runs in one direction.
    turned_deg : float
        Striae that lean further from the columns are those of a scan turned by 90°.
    other_way_deg : float
        Where the relief clearly runs this far from the striae, it is something else: a rim, a scratch across.
    least_relief_um : float
        Relief below this is rounding.
    slant_deg : float
        Bands that slant by more are turned upright and aligned again.
    directions : DirectionParameters
    shear : ShearParameters
        Of aperture shear on a scan of a head.
    """

    band_um: tuple[float, float] | None = None
    direction_deg: float | None = None
    band_height_um: float = 60.0
    largest_lag_um: float = 12.0
    lowest_agreement: float = 0.5
    largest_deviation_sigmas: float = 5.0
    fewest_bands: int = 2
    bands_needed: int = 3
    least_share: float = 0.2
    turned_deg: float = 45.0
    other_way_deg: float = 35.0
    least_relief_um: float = 1e-4
    slant_deg: float = 0.2
    directions: DirectionParameters = field(default_factory=DirectionParameters)
    shear: ShearParameters = field(default_factory=ShearParameters)

    def __post_init__(self) -> None:
        if self.band_um is not None and not 0 < self.band_um[0] < self.band_um[1]:
            raise ParameterError(f"the band is {self.band_um} µm; give the short cut-off, then the long one")
        if self.band_height_um <= 0 or self.fewest_bands < 1:
            raise ParameterError("a band has a height above 0, and a point stands on at least one band")
        if not 0 <= self.least_share <= 1:
            raise ParameterError(f"least_share is {self.least_share}; it is a share from 0 to 1")
        if self.bands_needed < 1 or not 0 < self.turned_deg < 90:
            raise ParameterError("at least 1 band is needed, and turned_deg lies between 0 and 90")
