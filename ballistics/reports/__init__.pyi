# The face of this room: what other rooms may import.
from .contents.case_lines import CaseLines as CaseLines
from .contents.evaluation import Evaluation as Evaluation
from .contents.identified_file import IdentifiedFile as IdentifiedFile
from .contents.identified_file import SearchedCollection as SearchedCollection
from .contents.identified_file import bodies_of as bodies_of
from .contents.identified_file import is_symmetric as is_symmetric
from .contents.identified_file import verdict_of as verdict_of
from .contents.print_job import job_rows as job_rows
from .contents.printed_pieces import named_files as named_files
from .contents.printed_pieces import pieces_in as pieces_in
from .contents.printed_pieces import pieces_sentences as pieces_sentences
from .contents.study_contents import acceptance_rows as acceptance_rows
from .contents.study_contents import span as span
from .figures.evidence import png_bytes as png_bytes
from .figures.evidence import svg_bytes as svg_bytes
from .figures.microscope import microscope as microscope
from .figures.printed import thumbnail_of as thumbnail_of
from .figures.printed_kin import kin_figure as kin_figure
from .figures.registered_pair import aligned_heights as aligned_heights
from .figures.scan_picture import scan_png as scan_png
from .pages.analyst import analyst_page as analyst_page
from .pages.bullets import bullets_report as bullets_report
from .pages.case import case_pages as case_pages
from .pages.comparison import comparison_report as comparison_report
from .pages.links import headline as headline
from .pages.links import link_score_text as link_score_text
from .pages.links import links_figure as links_figure
from .pages.links import links_report as links_report
from .pages.links import others_text as others_text
from .pages.printed import printed_report as printed_report
from .pages.printed_kin import kin_report as kin_report
from .pages.printed_protocol import protocol_json as protocol_json
from .pages.printed_protocol import protocol_report as protocol_report
from .pages.printed_sheet import contact_sheet as contact_sheet
from .pages.search import search_report as search_report
from .pages.striation import striation_report as striation_report
from .pages.study import study_report as study_report
from .pages.study_pdf import study_pdf as study_pdf
from .pages.transfers import transfers_report as transfers_report
from .reported_scan import ReportedScan as ReportedScan
from .reported_scan import reported_scan as reported_scan
from .reported_striae import ReportedStriae as ReportedStriae
from .schemas.comparison_json import comparison_json as comparison_json
from .schemas.heads_json import heads_document as heads_document
from .schemas.heads_json import heads_json as heads_json
from .schemas.printed_json import printed_json as printed_json
from .schemas.search_files import search_csv as search_csv
from .schemas.search_files import search_json as search_json
from .schemas.striation_json import bullets_json as bullets_json
from .schemas.striation_json import striation_json as striation_json
from .wording.comparison import counts_sentence as counts_sentence
from .wording.comparison import score_text as score_text
from .wording.comparison import similarity_sentence as similarity_sentence
from .wording.comparison import similarity_text as similarity_text
from .wording.comparison import source_of as source_of
from .wording.comparison import unit_of as unit_of
from .wording.printed import LEAD as LEAD
from .wording.printed import candidate_sentence as candidate_sentence
from .wording.printed import false_hits_sentence as false_hits_sentence
from .wording.printed import mirror_sentence as mirror_sentence
from .wording.printed import miss_sentence as miss_sentence
from .wording.printed import plain_bodies_sentence as plain_bodies_sentence
from .wording.printed import score_sentence as score_sentence
from .wording.printed import shares_sentence as shares_sentence
from .wording.printed import unexplained_sentence as unexplained_sentence
from .wording.printed import where_sentence as where_sentence
from .wording.search import background_sentence as background_sentence
from .wording.search import passed_over_sentences as passed_over_sentences
from .wording.search import searched_sentence as searched_sentence
from .wording.striation import bullets_sentence as bullets_sentence
from .wording.striation import chance_sentence as chance_sentence
from .wording.striation import counts_of_striae as counts_of_striae
from .wording.striation import striation_sentence as striation_sentence

__all__ = [
    "LEAD",
    "CaseLines",
    "Evaluation",
    "IdentifiedFile",
    "ReportedScan",
    "ReportedStriae",
    "SearchedCollection",
    "acceptance_rows",
    "aligned_heights",
    "analyst_page",
    "background_sentence",
    "bodies_of",
    "bullets_json",
    "bullets_report",
    "bullets_sentence",
    "candidate_sentence",
    "case_pages",
    "chance_sentence",
    "comparison_json",
    "comparison_report",
    "contact_sheet",
    "counts_of_striae",
    "counts_sentence",
    "false_hits_sentence",
    "headline",
    "heads_document",
    "heads_json",
    "is_symmetric",
    "job_rows",
    "kin_figure",
    "kin_report",
    "link_score_text",
    "links_figure",
    "links_report",
    "microscope",
    "mirror_sentence",
    "miss_sentence",
    "named_files",
    "others_text",
    "passed_over_sentences",
    "pieces_in",
    "pieces_sentences",
    "plain_bodies_sentence",
    "png_bytes",
    "printed_json",
    "printed_report",
    "protocol_json",
    "protocol_report",
    "reported_scan",
    "scan_png",
    "score_sentence",
    "score_text",
    "search_csv",
    "search_json",
    "search_report",
    "searched_sentence",
    "shares_sentence",
    "similarity_sentence",
    "similarity_text",
    "source_of",
    "span",
    "striation_json",
    "striation_report",
    "striation_sentence",
    "study_pdf",
    "study_report",
    "svg_bytes",
    "thumbnail_of",
    "transfers_report",
    "unexplained_sentence",
    "unit_of",
    "verdict_of",
    "where_sentence",
]
