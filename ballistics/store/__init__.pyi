# The face of this room: what other rooms may import.
from . import servers as servers
from .databases import ABOUT as ABOUT
from .databases import DATABASE_FILE as DATABASE_FILE
from .databases import SQLITE as SQLITE
from .databases import connect_sqlite as connect_sqlite
from .databases import database_errors as database_errors
from .databases import database_url as database_url
from .databases import is_writable as is_writable
from .databases import open_database as open_database
from .databases import reading as reading
from .databases import sqlite_error as sqlite_error
from .databases import writing as writing
from .schema import make_schema as make_schema
from .schema import schema_faults as schema_faults
from .schema import schema_of as schema_of
from .schema import update_schema as update_schema

__all__ = [
    "ABOUT",
    "DATABASE_FILE",
    "SQLITE",
    "connect_sqlite",
    "database_errors",
    "database_url",
    "is_writable",
    "make_schema",
    "open_database",
    "reading",
    "schema_faults",
    "schema_of",
    "servers",
    "sqlite_error",
    "update_schema",
    "writing",
]
