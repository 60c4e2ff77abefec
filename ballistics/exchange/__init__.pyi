# The face of this room: what other rooms may import.
from .analyst.case_uco import case_uco as case_uco
from .analyst.casework_sources import casework_graph as casework_graph
from .analyst.casework_sources import exhibit_names as exhibit_names
from .analyst.chains import Chain as Chain
from .analyst.chains import Step as Step
from .analyst.chains import chains as chains
from .analyst.files import geojson as geojson
from .analyst.files import graphml as graphml
from .analyst.files import positions as positions
from .analyst.graph import AT_PLACE as AT_PLACE
from .analyst.graph import FOUND_AT as FOUND_AT
from .analyst.graph import INVOLVED as INVOLVED
from .analyst.graph import SAME_FIREARM as SAME_FIREARM
from .analyst.graph import AnalystGraph as AnalystGraph
from .analyst.graph import Entity as Entity
from .analyst.graph import Event as Event
from .analyst.graph import Link as Link
from .analyst.graph import first_day as first_day
from .analyst.graph import joined as joined
from .analyst.graph import last_day as last_day
from .analyst.places import located as located
from .analyst.places import read_places as read_places
from .analyst.registry_sources import leads_graph as leads_graph
from .analyst.registry_sources import registry_graph as registry_graph
from .analyst.tables import entities_csv as entities_csv
from .analyst.tables import events_csv as events_csv
from .analyst.tables import links_csv as links_csv
from .desk import Desk as Desk
from .encryption import OpeningKey as OpeningKey
from .encryption import make_opening_key as make_opening_key
from .encryption import read_opening_key as read_opening_key
from .exports import Exported as Exported
from .exports import Outgoing as Outgoing
from .exports import export_package as export_package
from .imports import TakenIn as TakenIn
from .imports import extract_rows as extract_rows
from .imports import import_package as import_package
from .imports import package_of as package_of
from .imports import printed_of as printed_of
from .imports import take_in_receipt as take_in_receipt
from .imports import taken_in as taken_in
from .inbox import Arrived as Arrived
from .inbox import take_in as take_in
from .listing import listed as listed
from .listing import partner_search_json as partner_search_json
from .marks import CLASS_FIELDS as CLASS_FIELDS
from .marks import MarkSelection as MarkSelection
from .marks import PartnerMark as PartnerMark
from .package import Manifest as Manifest
from .package import Terms as Terms
from .partner_search import PartnerLead as PartnerLead
from .partner_search import PartnerSearch as PartnerSearch
from .partner_search import search_partners as search_partners
from .partners import Partner as Partner
from .partners import fingerprint as fingerprint
from .partners import partner_named as partner_named
from .partners import partners as partners
from .partners import read_card as read_card
from .partners import revoke_partner as revoke_partner
from .partners import take_in_partner as take_in_partner
from .partners import write_card as write_card
from .printed import PrintedSelection as PrintedSelection
from .registry_rows import RegistryExtract as RegistryExtract
from .requests import Request as Request
from .requests import answer_request as answer_request
from .requests import copy_scan as copy_scan
from .requests import decline_request as decline_request
from .requests import request_scan as request_scan
from .requests import requests as requests
from .requests import take_in_answer as take_in_answer
from .requests import take_in_request as take_in_request
from .rows import Extract as Extract
from .rows import Row as Row
from .withdrawals import take_in_withdrawal as take_in_withdrawal
from .withdrawals import withdraw as withdraw

__all__ = [
    "AT_PLACE",
    "CLASS_FIELDS",
    "FOUND_AT",
    "INVOLVED",
    "SAME_FIREARM",
    "AnalystGraph",
    "Arrived",
    "Chain",
    "Desk",
    "Entity",
    "Event",
    "Exported",
    "Extract",
    "Link",
    "Manifest",
    "MarkSelection",
    "OpeningKey",
    "Outgoing",
    "Partner",
    "PartnerLead",
    "PartnerMark",
    "PartnerSearch",
    "PrintedSelection",
    "RegistryExtract",
    "Request",
    "Row",
    "Step",
    "TakenIn",
    "Terms",
    "answer_request",
    "case_uco",
    "casework_graph",
    "chains",
    "copy_scan",
    "decline_request",
    "entities_csv",
    "events_csv",
    "exhibit_names",
    "export_package",
    "extract_rows",
    "fingerprint",
    "first_day",
    "geojson",
    "graphml",
    "import_package",
    "joined",
    "last_day",
    "leads_graph",
    "links_csv",
    "listed",
    "located",
    "make_opening_key",
    "package_of",
    "partner_named",
    "partner_search_json",
    "partners",
    "positions",
    "printed_of",
    "read_card",
    "read_opening_key",
    "read_places",
    "registry_graph",
    "request_scan",
    "requests",
    "revoke_partner",
    "search_partners",
    "take_in",
    "take_in_answer",
    "take_in_partner",
    "take_in_receipt",
    "take_in_request",
    "take_in_withdrawal",
    "taken_in",
    "withdraw",
    "write_card",
]
