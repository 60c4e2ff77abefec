# The face of this room: what other rooms may import.
from .comparing import METHOD as METHOD
from .comparing import VERSION as VERSION
from .comparing import compare as compare
from .comparison import HEADLINE_RULE as HEADLINE_RULE
from .comparison import CellSearch as CellSearch
from .comparison import DirectionVerdict as DirectionVerdict
from .comparison import ImpressionComparison as ImpressionComparison
from .comparison import RuleResult as RuleResult
from .mark_parameters import MARK_PARAMETERS as MARK_PARAMETERS
from .mark_parameters import NOT_IMPRESSED as NOT_IMPRESSED
from .mark_parameters import MarkParameters as MarkParameters
from .mark_parameters import parameters_of as parameters_of
from .registration import register as register
from .settings import with_settings as with_settings
from .similarity import Similarity as Similarity
from .similarity import similarity as similarity

__all__ = [
    "HEADLINE_RULE",
    "MARK_PARAMETERS",
    "METHOD",
    "NOT_IMPRESSED",
    "VERSION",
    "CellSearch",
    "DirectionVerdict",
    "ImpressionComparison",
    "MarkParameters",
    "RuleResult",
    "Similarity",
    "compare",
    "parameters_of",
    "register",
    "similarity",
    "with_settings",
]
