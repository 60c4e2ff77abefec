# The face of this room: what other rooms may import.
from .library import Library as Library
from .library_search import LibraryLead as LibraryLead
from .library_search import SearchResult as SearchResult
from .library_search import heights_still_there as heights_still_there
from .library_search import template_scanner as template_scanner

__all__ = [
    "Library",
    "LibraryLead",
    "SearchResult",
    "heights_still_there",
    "template_scanner",
]
