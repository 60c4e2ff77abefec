# The face of this room: what other rooms may import.
from .gcode_moves import PIECE_COLUMNS as PIECE_COLUMNS
from .gcode_moves import GcodeState as GcodeState
from .gcode_moves import LineTable as LineTable
from .gcode_moves import move as move
from .gcode_moves import read_lines as read_lines

__all__ = ["PIECE_COLUMNS", "GcodeState", "LineTable", "move", "read_lines"]
