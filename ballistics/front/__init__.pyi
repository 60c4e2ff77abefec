# The face of this room: what other rooms may import.
from .bullets import BulletsComparison as BulletsComparison
from .bullets import LandFile as LandFile
from .bullets import compare_bullet_folders as compare_bullet_folders
from .file_comparison import FileComparison as FileComparison
from .file_comparison import compare_files as compare_files
from .folders import compare_folder as compare_folder
from .folders import links as links
from .heads import WeighedHeads as WeighedHeads
from .heads import weigh_heads as weigh_heads
from .reporting import report as report
from .weighing import Weighing as Weighing
from .weighing import weigh as weigh
from .weighing import weighing as weighing

__all__ = [
    "BulletsComparison",
    "FileComparison",
    "LandFile",
    "WeighedHeads",
    "Weighing",
    "compare_bullet_folders",
    "compare_files",
    "compare_folder",
    "links",
    "report",
    "weigh",
    "weigh_heads",
    "weighing",
]
