# What users import from ballistics.
from .errors import BallisticsError as BallisticsError
from .errors import ParameterError as ParameterError
from .errors import ReadError as ReadError
from .errors import WriteError as WriteError
from .findings import Finding as Finding
from .front import FileComparison as FileComparison
from .front import compare_files as compare_files
from .front import compare_folder as compare_folder
from .front import report as report
from .front import weigh as weigh
from .heads import HeadComparison as HeadComparison
from .heads import compare_heads as compare_heads
from .impressions import ImpressionComparison as ImpressionComparison
from .library import Description as Description
from .methods import compare as compare
from .methods import prepare as prepare
from .pairs import find_links as find_links
from .printed import Collection as Collection
from .printed import Identification as Identification
from .printed import Part as Part
from .printed import PartFile as PartFile
from .printed import identify as identify
from .printed import read_parts as read_parts
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
    "Collection",
    "Description",
    "FileComparison",
    "Finding",
    "HeadComparison",
    "Identification",
    "ImpressionComparison",
    "Library",
    "Mark",
    "ParameterError",
    "Part",
    "PartFile",
    "Pose",
    "Provenance",
    "ReadError",
    "Step",
    "Surface",
    "WriteError",
    "compare",
    "compare_files",
    "compare_folder",
    "compare_heads",
    "find_links",
    "identify",
    "inspect",
    "prepare",
    "read",
    "read_parts",
    "replay",
    "report",
    "simulate_head",
    "simulate_population",
    "weigh",
    "write_x3p",
]
