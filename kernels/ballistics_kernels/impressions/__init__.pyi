# The face of this room: what other rooms may import.
from .cell_agreement import agreement_at_shifts as agreement_at_shifts
from .cell_arrays import Cells as Cells
from .cell_arrays import Expected as Expected
from .cell_arrays import FoundCells as FoundCells
from .cell_arrays import Peaks as Peaks
from .cell_arrays import Shifts as Shifts
from .cell_arrays import SplitMark as SplitMark
from .cell_arrays import Squares as Squares
from .cell_maps import block_sums as block_sums
from .cell_maps import search_coarse as search_coarse
from .cell_search import follow_peaks as follow_peaks
from .cell_search import pack_window as pack_window
from .cell_turning import turn_cells as turn_cells
from .consensus import rigid_consensus as rigid_consensus
from .correlation import NO_CORRELATION as NO_CORRELATION
from .correlation import centred as centred
from .correlation import masked_ncc as masked_ncc
from .least_squares_matching import match_cells as match_cells
from .peaks import peaks_between as peaks_between
from .pose_search import best_shifts as best_shifts
from .pose_search import climb_to_pose as climb_to_pose
from .regular_marks import cell_points as cell_points
from .regular_marks import line_sums as line_sums
from .regular_marks import products as products
from .regular_marks import products_by_direction as products_by_direction
from .regular_marks import take_lines_off as take_lines_off
from .spectra import combined_sums as combined_sums
from .spectra import forward as forward
from .spectra import inverse as inverse
from .turning import padded as padded
from .turning import pearson_at_pose as pearson_at_pose
from .turning import sample as sample
from .turning import split as split
from .turning import turn_onto as turn_onto
from .turning import turn_split as turn_split
from .turning import valid_points as valid_points
from .valid_area import count_in_cells as count_in_cells
from .valid_area import middle_and_turn as middle_and_turn
from .valid_area import reach_of_valid as reach_of_valid

__all__ = [
    "NO_CORRELATION",
    "Cells",
    "Expected",
    "FoundCells",
    "Peaks",
    "Shifts",
    "SplitMark",
    "Squares",
    "agreement_at_shifts",
    "best_shifts",
    "block_sums",
    "cell_points",
    "centred",
    "climb_to_pose",
    "combined_sums",
    "count_in_cells",
    "follow_peaks",
    "forward",
    "inverse",
    "line_sums",
    "masked_ncc",
    "match_cells",
    "middle_and_turn",
    "pack_window",
    "padded",
    "peaks_between",
    "pearson_at_pose",
    "products",
    "products_by_direction",
    "reach_of_valid",
    "rigid_consensus",
    "sample",
    "search_coarse",
    "split",
    "take_lines_off",
    "turn_cells",
    "turn_onto",
    "turn_split",
    "valid_points",
]
