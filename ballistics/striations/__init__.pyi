# The face of this room: what other rooms may import.
from .chumbley import ChumbleyParameters as ChumbleyParameters
from .chumbley import ChumbleyResult as ChumbleyResult
from .chumbley import chumbley as chumbley
from .cmps import CmpsParameters as CmpsParameters
from .cmps import CmpsResult as CmpsResult
from .cmps import cmps as cmps
from .cms import CmsResult as CmsResult
from .cms import StriaMatch as StriaMatch
from .cms import cms as cms
from .cms import lines_of as lines_of
from .correlation import CorrelationParameters as CorrelationParameters
from .correlation import Placement as Placement
from .correlation import ProfileAgreement as ProfileAgreement
from .correlation import best_correlations as best_correlations
from .correlation import centred as centred
from .correlation import correlate as correlate
from .correlation import on_common_grid as on_common_grid
from .correlation import resampled as resampled
from .correlation import stretched_to as stretched_to
from .signature import Arrangement as Arrangement
from .signature import ExcludedSpan as ExcludedSpan
from .signature import Signature as Signature
from .signature import arrangement as arrangement

__all__ = [
    "Arrangement",
    "ChumbleyParameters",
    "ChumbleyResult",
    "CmpsParameters",
    "CmpsResult",
    "CmsResult",
    "CorrelationParameters",
    "ExcludedSpan",
    "Placement",
    "ProfileAgreement",
    "Signature",
    "StriaMatch",
    "arrangement",
    "best_correlations",
    "centred",
    "chumbley",
    "cmps",
    "cms",
    "correlate",
    "lines_of",
    "on_common_grid",
    "resampled",
    "stretched_to",
]
