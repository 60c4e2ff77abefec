# The face of this room: what other rooms may import.
from .decimation import decimate as decimate
from .gaussian import quadratic_regression as quadratic_regression
from .gaussian import weighted_mean as weighted_mean
from .median import median as median
from .paths import closed_path as closed_path
from .resampling import interpolate_grid as interpolate_grid
from .spikes import local_median as local_median

__all__ = [
    "closed_path",
    "decimate",
    "interpolate_grid",
    "local_median",
    "median",
    "quadratic_regression",
    "weighted_mean",
]
