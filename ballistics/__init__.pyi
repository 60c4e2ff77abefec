# What users import from ballistics.
from .errors import BallisticsError as BallisticsError
from .errors import ParameterError as ParameterError
from .errors import ReadError as ReadError
from .errors import WriteError as WriteError
from .findings import Finding as Finding
from .impressions import HeadComparison as HeadComparison
from .impressions import ImpressionComparison as ImpressionComparison
from .impressions import compare_heads as compare_heads
from .library import Description as Description
from .methods import compare as compare
from .methods import prepare as prepare
from .provenance import Provenance as Provenance
from .search import Library as Library
from .surfaces import Mark as Mark
from .surfaces import Pose as Pose
from .surfaces import Step as Step
from .surfaces import Surface as Surface
from .surfaces import inspect as inspect
from .surfaces import read as read
from .surfaces import replay as replay
from .surfaces import simulate_head as simulate_head
from .surfaces import simulate_population as simulate_population
from .surfaces import write_x3p as write_x3p

__version__: str

__all__ = [
    "BallisticsError",
    "Description",
    "Finding",
    "HeadComparison",
    "ImpressionComparison",
    "Library",
    "Mark",
    "ParameterError",
    "Pose",
    "Provenance",
    "ReadError",
    "Step",
    "Surface",
    "WriteError",
    "compare",
    "compare_heads",
    "inspect",
    "prepare",
    "read",
    "replay",
    "simulate_head",
    "simulate_population",
    "write_x3p",
]
