# The face of this room: what other rooms may import.
from . import verify_log as verify_log
from .case_report import CaseReport as CaseReport
from .case_report import ReportComparison as ReportComparison
from .case_report import ReportPerson as ReportPerson
from .case_report import ReportScan as ReportScan
from .case_report import TestFire as TestFire
from .case_report import case_report as case_report
from .casebook import Casebook as Casebook
from .casebook import CaseworkIntegrity as CaseworkIntegrity
from .casebook import Recorded as Recorded
from .cases import Attachment as Attachment
from .cases import Case as Case
from .cases import Incident as Incident
from .cases import Information as Information
from .cases import Item as Item
from .cases import Scan as Scan
from .cases import Transfer as Transfer
from .code_lists import CodeList as CodeList
from .code_lists import CodeLists as CodeLists
from .disclosure import Bundle as Bundle
from .disclosure import read_disclosure as read_disclosure
from .disclosure import write_disclosure as write_disclosure
from .examinations import CARTRIDGE_HEAD as CARTRIDGE_HEAD
from .examinations import Comparison as Comparison
from .examinations import Conclusion as Conclusion
from .examinations import Observation as Observation
from .examinations import Resolution as Resolution
from .examinations import Unmasking as Unmasking
from .fields import ROLES as ROLES
from .fields import Record as Record
from .file_names import safe_name as safe_name
from .quality_gap import Answer as Answer
from .quality_gap import Requirement as Requirement
from .quality_gap import quality_gap as quality_gap
from .quality_gap import read_requirements as read_requirements
from .quality_records import Calibration as Calibration
from .quality_records import Competence as Competence
from .quality_records import Instrument as Instrument
from .quality_records import Nonconformity as Nonconformity
from .quality_records import Proficiency as Proficiency
from .quality_records import Settings as Settings
from .quality_records import Validation as Validation
from .quality_state import QualityRecords as QualityRecords
from .reviews import Authorisation as Authorisation
from .reviews import Disclosure as Disclosure
from .reviews import Release as Release
from .reviews import Report as Report
from .reviews import Review as Review
from .rules import KINDS as KINDS
from .rules import fields_of as fields_of
from .standing import CalibrationStanding as CalibrationStanding
from .standing import CompetenceStanding as CompetenceStanding
from .standing import ValidationStanding as ValidationStanding
from .standing import calibration_at as calibration_at
from .standing import competence_at as competence_at
from .standing import validation_at as validation_at
from .test_fires import Firearm as Firearm
from .test_fires import Session as Session
from .test_fires import Shot as Shot

__all__ = [
    "CARTRIDGE_HEAD",
    "KINDS",
    "ROLES",
    "Answer",
    "Attachment",
    "Authorisation",
    "Bundle",
    "Calibration",
    "CalibrationStanding",
    "Case",
    "CaseReport",
    "Casebook",
    "CaseworkIntegrity",
    "CodeList",
    "CodeLists",
    "Comparison",
    "Competence",
    "CompetenceStanding",
    "Conclusion",
    "Disclosure",
    "Firearm",
    "Incident",
    "Information",
    "Instrument",
    "Item",
    "Nonconformity",
    "Observation",
    "Proficiency",
    "QualityRecords",
    "Record",
    "Recorded",
    "Release",
    "Report",
    "ReportComparison",
    "ReportPerson",
    "ReportScan",
    "Requirement",
    "Resolution",
    "Review",
    "Scan",
    "Session",
    "Settings",
    "Shot",
    "TestFire",
    "Transfer",
    "Unmasking",
    "Validation",
    "ValidationStanding",
    "calibration_at",
    "case_report",
    "competence_at",
    "fields_of",
    "quality_gap",
    "read_disclosure",
    "read_requirements",
    "safe_name",
    "validation_at",
    "verify_log",
    "write_disclosure",
]
