"""Preparation defaults of every mark type, in one table with their sources."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ballistics.errors import ParameterError


@dataclass(frozen=True)
class MarkType:
    """How marks of one type are prepared.

    Parameters
    ----------
    name : str
        The field's name of the mark.
    spacing_um : float
        Common spacing of prepared marks.
    short_cutoff_um, long_cutoff_um : float
        ISO cut-offs (50 % transmission) of the band that is kept.
    trim_um : float
        Width of the border that is cut off after filtering.
    automatic_region : bool
        Whether the region can be found on a topography without help.
    sources : tuple of str
        Where the numbers come from.
    """

    name: str
    spacing_um: float
    short_cutoff_um: float
    long_cutoff_um: float
    trim_um: float
    automatic_region: bool
    sources: tuple[str, ...]


_CHEN_2017 = "doi:10.1016/j.forsciint.2017.08.033"
_OTT_2017 = "Ott, Thompson & Song 2017, Forensic Science International 271:98"
_ZHANG_2021 = "Zhang et al. 2021, Journal of Forensic Sciences 66:571"
_VANDERPLAS_2020 = "doi:10.1016/j.forsciint.2020.110167"
_NFI_SCRATCH = "NFI scratch 4, default of its Gaussian filter"

MARK_TYPES: dict[str, MarkType] = {
    kind.name: kind
    for kind in (
        # Chen 2017, p. 217: second-order Gaussian regression 16/250 µm, decimated to 6.25 µm.
        MarkType("breech face", 6.25, 16.0, 250.0, 0.0, True, (_CHEN_2017,)),
        # Band of Ott 2017; spacing of Zhang 2021, whose grid itself ends the band at 3.1 µm. The border that is cut
        # off is half the long cut-off wide: within it the filter sees one side of a curved wall only.
        MarkType("firing pin", 1.5625, 1.6, 110.0, 55.0, True, (_OTT_2017, _ZHANG_2021)),
        MarkType("ejector", 1.5625, 5.0, 250.0, 0.0, False, (_NFI_SCRATCH,)),
        MarkType("aperture shear", 1.5625, 5.0, 250.0, 0.0, False, (_NFI_SCRATCH,)),
        # Spacing of the open sets of bullets; the band is that of `ballistics.striations.LandParameters`.
        MarkType("land engraved area", 1.5625, 10.0, 400.0, 0.0, True, (_VANDERPLAS_2020,)),
        # Bands of `ballistics.striations.STRIATED_BANDS_UM`.
        MarkType("firing-pin drag", 1.5625, 5.0, 250.0, 0.0, False, (_NFI_SCRATCH,)),
        MarkType("chamber", 1.5625, 5.0, 250.0, 0.0, False, (_NFI_SCRATCH,)),
        MarkType("tool mark", 1.5625, 5.0, 1000.0, 0.0, True, ()),
    )
}

#: Marks of these types keep the spacing of their scan.
OF_SCAN_SPACING = ("aperture shear", "land engraved area", "firing-pin drag", "chamber", "tool mark")

#: The types that a scan of a whole cartridge-case head can show, in the order of reports.
HEAD_MARKS = ("breech face", "firing pin", "ejector", "aperture shear")


# Images: Tong 2014 smooths with σ = 1 pixel of 5 µm, which is an ISO cut-off of 27 µm; Tai & Eddy 2018 take off what is
# longer than σ = 44 pixels of 2.53 µm, 594 µm.
_TONG_2014 = "Tong 2014, Journal of Research of NIST 119:575"
_TAI_2018 = "Tai & Eddy 2018, Journal of Forensic Sciences 63(2):440"
REFLECTANCE_TYPES: dict[str, MarkType] = {
    "breech face": replace(
        MARK_TYPES["breech face"], short_cutoff_um=26.7, long_cutoff_um=594.0, sources=(_TONG_2014, _TAI_2018)
    )
}


def mark_type(name: str, surface_kind: str = "topography") -> MarkType:
    """Return the defaults of a mark type.

    Parameters
    ----------
    name : str
        E.g. ``"breech face"``.
    surface_kind : str
        ``"reflectance"`` gives the defaults of images, where they have their own.

    Raises
    ------
    ParameterError
        If the type is not in the table.

    Examples
    --------
    >>> mark_type("breech face").long_cutoff_um
    250.0
    """
    if name not in MARK_TYPES:
        raise ParameterError(f"mark type {name!r} is not known; choose one of {', '.join(MARK_TYPES)}")
    if surface_kind == "reflectance" and name in REFLECTANCE_TYPES:
        return REFLECTANCE_TYPES[name]
    return MARK_TYPES[name]
