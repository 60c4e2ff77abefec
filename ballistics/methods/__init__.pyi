# The face of this room: what other rooms may import.
from .bullets import BULLET as BULLET
from .bullets import Bullets as Bullets
from .bullets import ScoredBullets as ScoredBullets
from .impressed import Impressed as Impressed
from .method import Family as Family
from .method import Method as Method
from .method import Region as Region
from .registry import METHODS as METHODS
from .registry import compare as compare
from .registry import mark_kinds as mark_kinds
from .registry import method_of as method_of
from .registry import pair_score as pair_score
from .registry import prepare as prepare
from .registry import scored_as as scored_as
from .striated import Striated as Striated
from .striated import StriatedParameters as StriatedParameters

__all__ = [
    "BULLET",
    "METHODS",
    "Bullets",
    "Family",
    "Impressed",
    "Method",
    "Region",
    "ScoredBullets",
    "Striated",
    "StriatedParameters",
    "compare",
    "mark_kinds",
    "method_of",
    "pair_score",
    "prepare",
    "scored_as",
]
