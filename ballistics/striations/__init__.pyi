# The face of this room: what other rooms may import.
from .along import AgreementMap as AgreementMap
from .along import AlongParameters as AlongParameters
from .along import agreement_map as agreement_map
from .bullets import BulletComparison as BulletComparison
from .bullets import bullet_of_scores as bullet_of_scores
from .bullets import compare_bullets as compare_bullets
from .bullets import land_scores as land_scores
from .bullets import land_width_findings as land_width_findings
from .chumbley_score import ChumbleyParameters as ChumbleyParameters
from .chumbley_score import ChumbleyResult as ChumbleyResult
from .chumbley_score import chumbley as chumbley
from .coarse_lines import CoarseLines as CoarseLines
from .coarse_lines import CoarseParameters as CoarseParameters
from .coarse_lines import coarse_lines as coarse_lines
from .comparing import StriationComparison as StriationComparison
from .comparing import StriationParameters as StriationParameters
from .comparing import compare_signatures as compare_signatures
from .congruent_segments import CmpsParameters as CmpsParameters
from .congruent_segments import CmpsResult as CmpsResult
from .congruent_segments import cmps as cmps
from .correlation import CorrelationParameters as CorrelationParameters
from .correlation import Placement as Placement
from .correlation import ProfileAgreement as ProfileAgreement
from .correlation import best_correlations as best_correlations
from .correlation import correlate as correlate
from .correlation import on_grid as on_grid
from .matching_striae import CmsResult as CmsResult
from .matching_striae import StriaMatch as StriaMatch
from .matching_striae import cms as cms
from .overlay import Overlay as Overlay
from .overlay import overlay as overlay
from .preparation.aperture_shear import ShearedArea as ShearedArea
from .preparation.aperture_shear import ShearParameters as ShearParameters
from .preparation.aperture_shear import find_sheared_area as find_sheared_area
from .preparation.arcs import Arc as Arc
from .preparation.arcs import ArcParameters as ArcParameters
from .preparation.arcs import fit_arc as fit_arc
from .preparation.lands import Land as Land
from .preparation.lands import land_of as land_of
from .preparation.lands import profile_signature as profile_signature
from .preparation.marks import signature_of as signature_of
from .preparation.marks import striated_mark as striated_mark
from .preparation.parameters import LandParameters as LandParameters
from .preparation.parameters import StriatedMarkParameters as StriatedMarkParameters
from .preparation.patches import Patch as Patch
from .preparation.shoulders import LandEnd as LandEnd
from .preparation.shoulders import LandEnds as LandEnds
from .preparation.shoulders import ShoulderParameters as ShoulderParameters
from .preparation.shoulders import find_ends as find_ends
from .preparation.stria_direction import DirectionParameters as DirectionParameters
from .preparation.stria_direction import StriaDirections as StriaDirections
from .preparation.stria_direction import stria_directions as stria_directions
from .preparation.tool_marks import STRIATED_BANDS_UM as STRIATED_BANDS_UM
from .preparation.tool_marks import StriatedMark as StriatedMark
from .preparation.tool_marks import striated_mark_of as striated_mark_of
from .profile_filters import band_passed as band_passed
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
    "STRIATED_BANDS_UM",
    "AgreementMap",
    "AlongParameters",
    "Arc",
    "ArcParameters",
    "BulletComparison",
    "ChumbleyParameters",
    "ChumbleyResult",
    "CmpsParameters",
    "CmpsResult",
    "CmsResult",
    "CoarseLines",
    "CoarseParameters",
    "CorrelationParameters",
    "DirectionParameters",
    "ExcludedSpan",
    "Land",
    "LandEnd",
    "LandEnds",
    "LandParameters",
    "OctaveAgreement",
    "OctaveProfiles",
    "Overlay",
    "Patch",
    "Placement",
    "ProfileAgreement",
    "ShearParameters",
    "ShearedArea",
    "ShoulderParameters",
    "Signature",
    "Similarity",
    "SimilarityParameters",
    "StriaDirections",
    "StriaMatch",
    "StriatedMark",
    "StriatedMarkParameters",
    "StriationComparison",
    "StriationParameters",
    "agreement_map",
    "band_passed",
    "best_correlations",
    "bullet_of_scores",
    "chumbley",
    "cmps",
    "cms",
    "coarse_lines",
    "common_octaves",
    "compare_bullets",
    "compare_signatures",
    "correlate",
    "find_ends",
    "find_sheared_area",
    "fit_arc",
    "land_of",
    "land_scores",
    "land_width_findings",
    "octave_profiles",
    "on_grid",
    "overlay",
    "profile_signature",
    "signature_of",
    "similarity",
    "similarity_of",
    "stria_directions",
    "striated_mark",
    "striated_mark_of",
]
