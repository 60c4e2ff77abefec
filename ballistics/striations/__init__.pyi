# The face of this room: what other rooms may import.
from .chumbley_score import ChumbleyParameters as ChumbleyParameters
from .chumbley_score import ChumbleyResult as ChumbleyResult
from .chumbley_score import chumbley as chumbley
from .congruent_segments import CmpsParameters as CmpsParameters
from .congruent_segments import CmpsResult as CmpsResult
from .congruent_segments import cmps as cmps
from .correlation import CorrelationParameters as CorrelationParameters
from .correlation import Placement as Placement
from .correlation import ProfileAgreement as ProfileAgreement
from .correlation import best_correlations as best_correlations
from .correlation import correlate as correlate
from .matching_striae import CmsResult as CmsResult
from .matching_striae import StriaMatch as StriaMatch
from .matching_striae import cms as cms
from .signature import ExcludedSpan as ExcludedSpan
from .signature import Signature as Signature
from .wavelengths import OctaveAgreement as OctaveAgreement
from .wavelengths import OctaveProfiles as OctaveProfiles
from .wavelengths import Similarity as Similarity
from .wavelengths import SimilarityParameters as SimilarityParameters
from .wavelengths import common_octaves as common_octaves
from .wavelengths import octave_profiles as octave_profiles
from .wavelengths import similarity as similarity
from .wavelengths import similarity_of as similarity_of

__all__ = [
    "ChumbleyParameters",
    "ChumbleyResult",
    "CmpsParameters",
    "CmpsResult",
    "CmsResult",
    "CorrelationParameters",
    "ExcludedSpan",
    "OctaveAgreement",
    "OctaveProfiles",
    "Placement",
    "ProfileAgreement",
    "Signature",
    "Similarity",
    "SimilarityParameters",
    "StriaMatch",
    "best_correlations",
    "chumbley",
    "cmps",
    "cms",
    "common_octaves",
    "correlate",
    "octave_profiles",
    "similarity",
    "similarity_of",
]
