# The face of this room: what other rooms may import.
from .filtering.filters import low_pass as low_pass
from .filtering.levelling import fit_form as fit_form
from .formats.reading import read as read
from .formats.units_guard import Units as Units
from .formats.x3p.writer import write_x3p as write_x3p
from .inspection import Inspection as Inspection
from .inspection import files_in as files_in
from .inspection import inspect as inspect
from .inspection import inspect_file as inspect_file
from .inspection import scan_tables_in as scan_tables_in
from .instruments import instrument_of as instrument_of
from .instruments import named_by_file as named_by_file
from .instruments import stated_by_file as stated_by_file
from .mark_types import HEAD_MARKS as HEAD_MARKS
from .mark_types import MARK_TYPES as MARK_TYPES
from .mark_types import mark_type as mark_type
from .plotting import draw_scale_bar as draw_scale_bar
from .plotting import plot_heights as plot_heights
from .plotting import plot_profile as plot_profile
from .pose import Pose as Pose
from .preparation.preparing import PREPARATION as PREPARATION
from .preparation.preparing import PREPARATION_VERSION as PREPARATION_VERSION
from .preparation.preparing import prepare as prepare
from .preparation.preparing import replay as replay
from .preparation.record import flat as flat
from .preparation.record import preparation_parameters as preparation_parameters
from .preparation.record import unalike as unalike
from .regions.breech_face_region import RegionLabel as RegionLabel
from .regions.breech_face_region import find_breech_face as find_breech_face
from .regions.given_regions import GivenRegion as GivenRegion
from .regions.given_regions import region_of as region_of
from .regions.masks import given_mask as given_mask
from .scan_readings import ALL_AS_THEY_ARE as ALL_AS_THEY_ARE
from .scan_readings import AS_IT_IS as AS_IT_IS
from .scan_readings import Readings as Readings
from .scan_readings import ScanReading as ScanReading
from .scan_readings import readings as readings
from .scan_readings import unit_named as unit_named
from .simulation.breech_faces import BREECH_FACES as BREECH_FACES
from .simulation.difficulty import Difficulty as Difficulty
from .simulation.files import write_population as write_population
from .simulation.heads import SimulatedHead as SimulatedHead
from .simulation.heads import simulate_head as simulate_head
from .simulation.heads import simulate_population as simulate_population
from .simulation.lands import LandShot as LandShot
from .simulation.lands import LandSource as LandSource
from .simulation.lands import SimulatedLand as SimulatedLand
from .simulation.lands import simulate_land as simulate_land
from .simulation.parameters import simulate_firearm as simulate_firearm
from .simulation.parameters import simulate_shot as simulate_shot
from .surface import Mark as Mark
from .surface import Step as Step
from .surface import Surface as Surface

__all__ = [
    "ALL_AS_THEY_ARE",
    "AS_IT_IS",
    "BREECH_FACES",
    "HEAD_MARKS",
    "MARK_TYPES",
    "PREPARATION",
    "PREPARATION_VERSION",
    "Difficulty",
    "GivenRegion",
    "Inspection",
    "LandShot",
    "LandSource",
    "Mark",
    "Pose",
    "Readings",
    "RegionLabel",
    "ScanReading",
    "SimulatedHead",
    "SimulatedLand",
    "Step",
    "Surface",
    "Units",
    "draw_scale_bar",
    "files_in",
    "find_breech_face",
    "fit_form",
    "flat",
    "given_mask",
    "inspect",
    "inspect_file",
    "instrument_of",
    "low_pass",
    "mark_type",
    "named_by_file",
    "plot_heights",
    "plot_profile",
    "preparation_parameters",
    "prepare",
    "read",
    "readings",
    "region_of",
    "replay",
    "scan_tables_in",
    "simulate_firearm",
    "simulate_head",
    "simulate_land",
    "simulate_population",
    "simulate_shot",
    "stated_by_file",
    "unalike",
    "unit_named",
    "write_population",
    "write_x3p",
]
