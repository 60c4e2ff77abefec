# The face of this room: what other rooms may import.
from . import parquet as parquet
from .archives import SafeArchive as SafeArchive
from .binary import check_grid as check_grid
from .binary import file_size as file_size
from .binary import take as take
from .binary import take_floats as take_floats
from .bounded_arrays import header_bytes as header_bytes
from .bounded_arrays import load_array as load_array
from .bounded_arrays import map_rows as map_rows
from .bounded_arrays import read_header as read_header
from .bounded_json import MOST_LEVELS as MOST_LEVELS
from .bounded_json import SEAL as SEAL
from .bounded_json import load_json as load_json
from .bounded_json import parse_json as parse_json
from .bounded_json import seal_fault as seal_fault
from .bounded_json import sealed as sealed
from .byte_order import native_order as native_order
from .durable import is_temporary as is_temporary
from .durable import reason as reason
from .durable import sync_folder as sync_folder
from .durable import write_whole as write_whole
from .durable import written_whole as written_whole
from .locks import locked as locked
from .paths import real_path as real_path
from .rows_file import RowsFile as RowsFile
from .tables import begins_formula as begins_formula
from .tables import csv_bytes as csv_bytes
from .tables import table_kind as table_kind
from .tables import write_csv as write_csv
from .work_folder import make_work_folder as make_work_folder

__all__ = [
    "MOST_LEVELS",
    "SEAL",
    "RowsFile",
    "SafeArchive",
    "begins_formula",
    "check_grid",
    "csv_bytes",
    "file_size",
    "header_bytes",
    "is_temporary",
    "load_array",
    "load_json",
    "locked",
    "make_work_folder",
    "map_rows",
    "native_order",
    "parquet",
    "parse_json",
    "read_header",
    "real_path",
    "reason",
    "seal_fault",
    "sealed",
    "sync_folder",
    "table_kind",
    "take",
    "take_floats",
    "write_csv",
    "write_whole",
    "written_whole",
]
