"""The numbers of the way from a scan of a land to its signature."""

from __future__ import annotations

from dataclasses import dataclass

from ballistics.errors import ParameterError


@dataclass(frozen=True)
class LandParameters:
    """The numbers of the way from a scan to a signature.

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
    radii_mm: tuple[float, float] = (1.5, 15.0)
    largest_radius_spread: float = 0.3
    least_share: float = 0.2
    fewest_bands: int = 3
    ends_um: tuple[float, float] | None = None
    rows_um: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if not 0 < self.band_um[0] < self.band_um[1]:
            raise ParameterError(f"the band is {self.band_um} µm; give the short cut-off, then the long one")
        if self.ends_um is not None and not self.ends_um[0] < self.ends_um[1]:
            raise ParameterError(f"the land ends at {self.ends_um} µm; give its left end, then its right one")
        if self.band_height_um <= 0 or self.fewest_bands < 1:
            raise ParameterError("a band has a height above 0, and a point stands on at least one band")
