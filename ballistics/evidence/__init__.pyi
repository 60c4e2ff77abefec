# The face of this room: what other rooms may import.
from .calibres import calibre_named as calibre_named
from .comparisons import conditions_of as conditions_of
from .crossvalidation import cross_validate as cross_validate
from .crossvalidation import source_disjoint_folds as source_disjoint_folds
from .joint_marks import JointWeight as JointWeight
from .joint_marks import weigh_together as weigh_together
from .likelihood_ratio import LikelihoodRatio as LikelihoodRatio
from .likelihood_ratio import Propositions as Propositions
from .likelihood_ratio import Status as Status
from .lr_system import fit_with_bounds as fit_with_bounds
from .metric_intervals import Limits as Limits
from .metrics import Metrics as Metrics
from .metrics import PavCurve as PavCurve
from .metrics import cllr as cllr
from .metrics import empirical_cross_entropy as empirical_cross_entropy
from .metrics import equal_error_rate as equal_error_rate
from .metrics import error_upper_limit as error_upper_limit
from .metrics import measure as measure
from .metrics import pav as pav
from .metrics import roc as roc
from .models.bounds import Bounds as Bounds
from .models.count_models import BetaBinomial as BetaBinomial
from .models.count_tails import log_lower_tail as log_lower_tail
from .population import ReferencePopulation as ReferencePopulation
from .preconditions import withholding as withholding
from .reference_file import ReferenceFile as ReferenceFile
from .reference_file import load_reference as load_reference
from .scores import SCORE_MODELS as SCORE_MODELS
from .scores import Booleans as Booleans
from .scores import Floats as Floats
from .scores import Score as Score
from .scores import ScoreTable as ScoreTable
from .scores import score_models as score_models
from .study import GroupResult as GroupResult
from .study import Study as Study
from .study import run_study as run_study
from .weighing import Weighed as Weighed
from .weighing import weigh as weigh
from .wording.catalogues import confirmed as confirmed
from .wording.catalogues import languages as languages
from .wording.catalogues import translations as translations
from .wording.sentences import Wording as Wording
from .wording.sentences import format_ratio as format_ratio
from .wording.sentences import phrase as phrase
from .wording.verbal_scale import Band as Band
from .wording.verbal_scale import VerbalScale as VerbalScale

__all__ = [
    "SCORE_MODELS",
    "Band",
    "BetaBinomial",
    "Booleans",
    "Bounds",
    "Floats",
    "GroupResult",
    "JointWeight",
    "LikelihoodRatio",
    "Limits",
    "Metrics",
    "PavCurve",
    "Propositions",
    "ReferenceFile",
    "ReferencePopulation",
    "Score",
    "ScoreTable",
    "Status",
    "Study",
    "VerbalScale",
    "Weighed",
    "Wording",
    "calibre_named",
    "cllr",
    "conditions_of",
    "confirmed",
    "cross_validate",
    "empirical_cross_entropy",
    "equal_error_rate",
    "error_upper_limit",
    "fit_with_bounds",
    "format_ratio",
    "languages",
    "load_reference",
    "log_lower_tail",
    "measure",
    "pav",
    "phrase",
    "roc",
    "run_study",
    "score_models",
    "source_disjoint_folds",
    "translations",
    "weigh",
    "weigh_together",
    "withholding",
]
