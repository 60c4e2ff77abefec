# The face of this room: what other rooms may import.
from .bullets import BulletsComparison as BulletsComparison
from .bullets import LandFile as LandFile
from .bullets import compare_bullet_folders as compare_bullet_folders
from .bullets import weigh_bullets as weigh_bullets
from .case_comparison import ScanSource as ScanSource
from .case_comparison import compare_scans as compare_scans
from .case_comparison import compared as compared
from .case_comparison import source_of_scan as source_of_scan
from .case_items import compare_items as compare_items
from .case_replay import Replay as Replay
from .case_replay import ReplayedComparison as ReplayedComparison
from .case_replay import replay as replay
from .file_comparison import FileComparison as FileComparison
from .file_comparison import compare_files as compare_files
from .folders import compare_folder as compare_folder
from .heads import WeighedHeads as WeighedHeads
from .heads import weigh_heads as weigh_heads
from .reporting import report as report
from .test_fire_sets import TestFire as TestFire
from .test_fire_sets import select_test_fires as select_test_fires
from .test_fire_sets import write_scan_set as write_scan_set
from .weighing import Weighing as Weighing
from .weighing import weigh as weigh
from .weighing import weighing as weighing

__all__ = [
    "BulletsComparison",
    "FileComparison",
    "LandFile",
    "Replay",
    "ReplayedComparison",
    "ScanSource",
    "TestFire",
    "WeighedHeads",
    "Weighing",
    "compare_bullet_folders",
    "compare_files",
    "compare_folder",
    "compare_items",
    "compare_scans",
    "compared",
    "replay",
    "report",
    "select_test_fires",
    "source_of_scan",
    "weigh",
    "weigh_bullets",
    "weigh_heads",
    "weighing",
    "write_scan_set",
]
