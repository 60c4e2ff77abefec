# The face of this room: what other rooms may import.
from . import signature_template as signature_template
from . import tables as tables
from . import template as template
from .backup import PARTNERS as PARTNERS
from .backup import backup as backup
from .enrolment import DescribedScan as DescribedScan
from .enrolment import Reading as Reading
from .enrolment import enrol_scans as enrol_scans
from .enrolment import match_descriptions as match_descriptions
from .enrolment import read_descriptions as read_descriptions
from .integrity import verify as verify
from .items import DESCRIPTION_FIELDS as DESCRIPTION_FIELDS
from .items import Description as Description
from .items import EnrolledMark as EnrolledMark
from .items import Enrolment as Enrolment
from .items import Integrity as Integrity
from .items import Where as Where
from .items import checked_filter as checked_filter
from .items import is_admitted as is_admitted
from .relief import relief_of as relief_of
from .renewal import renew_templates as renew_templates
from .store import LibraryStore as LibraryStore
from .template_stacks import version_of as version_of

__all__ = [
    "DESCRIPTION_FIELDS",
    "PARTNERS",
    "DescribedScan",
    "Description",
    "EnrolledMark",
    "Enrolment",
    "Integrity",
    "LibraryStore",
    "Reading",
    "Where",
    "backup",
    "checked_filter",
    "enrol_scans",
    "is_admitted",
    "match_descriptions",
    "read_descriptions",
    "relief_of",
    "renew_templates",
    "signature_template",
    "tables",
    "template",
    "verify",
    "version_of",
]
