# The face of this room: what other rooms may import.
from .acceptance import largest_misleading_lr as largest_misleading_lr
from .acceptance import with_verdicts as with_verdicts
from .bullets import check_lands as check_lands
from .bullets import scored_bullets as scored_bullets
from .criteria import Verdict as Verdict
from .criteria import read_criteria as read_criteria
from .criteria import results_when_first_given as results_when_first_given
from .scan_pairs import ScannedPair as ScannedPair
from .scan_pairs import ScoredScans as ScoredScans
from .scan_pairs import score_all_pairs as score_all_pairs
from .scan_study import HEADLINE as HEADLINE
from .scan_study import ScanStudy as ScanStudy
from .scan_study import reference_population as reference_population
from .scan_study import refuse_hopeless as refuse_hopeless
from .scan_study import study_of_scans as study_of_scans
from .scan_study import with_labels as with_labels
from .truth_table import LABELS as LABELS
from .truth_table import NOT_STATED as NOT_STATED
from .truth_table import read_truth as read_truth
from .worst_pairs import MOST as MOST
from .worst_pairs import RankedPair as RankedPair
from .worst_pairs import worst_pairs as worst_pairs

__all__ = [
    "HEADLINE",
    "LABELS",
    "MOST",
    "NOT_STATED",
    "RankedPair",
    "ScanStudy",
    "ScannedPair",
    "ScoredScans",
    "Verdict",
    "check_lands",
    "largest_misleading_lr",
    "read_criteria",
    "read_truth",
    "reference_population",
    "refuse_hopeless",
    "results_when_first_given",
    "score_all_pairs",
    "scored_bullets",
    "study_of_scans",
    "with_labels",
    "with_verdicts",
    "worst_pairs",
]
