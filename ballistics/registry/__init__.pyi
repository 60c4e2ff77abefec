# The face of this room: what other rooms may import.
from .checking import CHECK_COLUMNS as CHECK_COLUMNS
from .checking import Checked as Checked
from .checking import check as check
from .importing import REFUSAL_COLUMNS as REFUSAL_COLUMNS
from .importing import Import as Import
from .importing import Refusal as Refusal
from .leads import LEAD_STATES as LEAD_STATES
from .leads import STRENGTHS as STRENGTHS
from .leads import Lead as Lead
from .leads import LeadShare as LeadShare
from .leads import QueuedLead as QueuedLead
from .leads import firearm_of_lead as firearm_of_lead
from .leads import lead_classes as lead_classes
from .leads import lead_shares as lead_shares
from .leads import leads_of_check as leads_of_check
from .leads import leads_of_file as leads_of_file
from .leads import leads_of_identification as leads_of_identification
from .leads import leads_of_links as leads_of_links
from .leads import leads_of_search as leads_of_search
from .leads import move_lead as move_lead
from .leads import queue_leads as queue_leads
from .leads import queued_leads as queued_leads
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
from .statistics import Statistics as Statistics
from .statistics import StatisticsTable as StatisticsTable
from .statistics import focal_point_statistics as focal_point_statistics
from .statistics import write_statistics as write_statistics
from .statistics import years_of_events as years_of_events
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
from .verification import RegistryIntegrity as RegistryIntegrity
from .verification import verify_registry as verify_registry
from .workbooks import write_workbook as write_workbook
from .writing import Entry as Entry
from .writing import Names as Names
from .writing import Written as Written

__all__ = [
    "CALIBRE_FORMS",
    "CHECK_COLUMNS",
    "EVENT_KINDS",
    "LEAD_STATES",
    "REFUSAL_COLUMNS",
    "REPORT_COLUMNS",
    "STRENGTHS",
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
    "Lead",
    "LeadShare",
    "Licence",
    "Marking",
    "Names",
    "Question",
    "QueuedLead",
    "Record",
    "RecordedEvent",
    "RecordedTransfer",
    "Refusal",
    "RegisterMapping",
    "Registry",
    "RegistryIntegrity",
    "Report",
    "ReportRow",
    "SimulatedRow",
    "Statistics",
    "StatisticsTable",
    "Written",
    "annual_report",
    "check",
    "checked_date",
    "checked_mapping",
    "clean_text",
    "course",
    "firearm_of_lead",
    "focal_point_statistics",
    "lead_classes",
    "lead_shares",
    "leads_of_check",
    "leads_of_file",
    "leads_of_identification",
    "leads_of_links",
    "leads_of_search",
    "move_lead",
    "overdue",
    "queue_leads",
    "queued_leads",
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
    "verify_registry",
    "write_register",
    "write_statistics",
    "write_workbook",
    "years_of_events",
]
