# The face of this room: what other rooms may import.
from .checking import CHECK_COLUMNS as CHECK_COLUMNS
from .checking import Checked as Checked
from .checking import check as check
from .importing import REFUSAL_COLUMNS as REFUSAL_COLUMNS
from .importing import Import as Import
from .importing import Refusal as Refusal
from .lookup import Answer as Answer
from .lookup import Hit as Hit
from .lookup import Question as Question
from .mapping import RegisterMapping as RegisterMapping
from .mapping import checked_mapping as checked_mapping
from .mapping import read_mapping as read_mapping
from .procedure import Course as Course
from .procedure import course as course
from .procedure import overdue as overdue
from .procedure import step as step
from .records import EVENT_KINDS as EVENT_KINDS
from .records import Component as Component
from .records import Event as Event
from .records import Firearm as Firearm
from .records import Marking as Marking
from .records import checked_date as checked_date
from .records import clean_text as clean_text
from .records import record_fields as record_fields
from .registry import Record as Record
from .registry import RecordedEvent as RecordedEvent
from .registry import Registry as Registry
from .simulation import CALIBRE_FORMS as CALIBRE_FORMS
from .simulation import SimulatedRow as SimulatedRow
from .simulation import simulated_makes as simulated_makes
from .simulation import simulated_rows as simulated_rows
from .simulation import write_register as write_register
from .standing import Report as Report
from .standing import reports as reports
from .transfers import REPORT_COLUMNS as REPORT_COLUMNS
from .transfers import TRANSFER_KINDS as TRANSFER_KINDS
from .transfers import Delivery as Delivery
from .transfers import Licence as Licence
from .transfers import RecordedTransfer as RecordedTransfer
from .transfers import ReportRow as ReportRow
from .transfers import annual_report as annual_report
from .transfers import read_transfers as read_transfers
from .transfers import record_transfer as record_transfer
from .transfers import recorded_transfers as recorded_transfers
from .transfers import transfer_categories as transfer_categories
from .transfers import transfer_findings as transfer_findings
from .writing import Entry as Entry
from .writing import Names as Names
from .writing import Written as Written

__all__ = [
    "CALIBRE_FORMS",
    "CHECK_COLUMNS",
    "EVENT_KINDS",
    "REFUSAL_COLUMNS",
    "REPORT_COLUMNS",
    "TRANSFER_KINDS",
    "Answer",
    "Checked",
    "Component",
    "Course",
    "Delivery",
    "Entry",
    "Event",
    "Firearm",
    "Hit",
    "Import",
    "Licence",
    "Marking",
    "Names",
    "Question",
    "Record",
    "RecordedEvent",
    "RecordedTransfer",
    "Refusal",
    "RegisterMapping",
    "Registry",
    "Report",
    "ReportRow",
    "SimulatedRow",
    "Written",
    "annual_report",
    "check",
    "checked_date",
    "checked_mapping",
    "clean_text",
    "course",
    "overdue",
    "read_mapping",
    "read_transfers",
    "record_fields",
    "record_transfer",
    "recorded_transfers",
    "reports",
    "simulated_makes",
    "simulated_rows",
    "step",
    "transfer_categories",
    "transfer_findings",
    "write_register",
]
