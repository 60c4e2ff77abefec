# The face of this room: what other rooms may import.
from .polar import polar_samples as polar_samples
from .polar_scan import LANES as LANES
from .polar_scan import OVERLAP_ANGLES as OVERLAP_ANGLES
from .polar_scan import RINGS_AT_ONCE as RINGS_AT_ONCE
from .polar_scan import BestPoses as BestPoses
from .polar_scan import ModeRanges as ModeRanges
from .polar_scan import Spectra as Spectra
from .polar_scan import scan_block as scan_block
from .polar_scan import unpack as unpack

__all__ = [
    "LANES",
    "OVERLAP_ANGLES",
    "RINGS_AT_ONCE",
    "BestPoses",
    "ModeRanges",
    "Spectra",
    "polar_samples",
    "scan_block",
    "unpack",
]
