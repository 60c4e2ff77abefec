# The face of this room: what other rooms may import.
from .bands import band_medians as band_medians
from .correlation import best_lags as best_lags
from .correlation import correlate_lags as correlate_lags
from .correlation import correlate_products as correlate_products
from .correlation import stretched as stretched
from .ends import first_stall as first_stall
from .windows import best_window_pair as best_window_pair

__all__ = [
    "band_medians",
    "best_lags",
    "best_window_pair",
    "correlate_lags",
    "correlate_products",
    "first_stall",
    "stretched",
]
