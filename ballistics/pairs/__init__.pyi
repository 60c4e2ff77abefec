# The face of this room: what other rooms may import.
from .batch import run_batch as run_batch
from .cluster import on_cluster as on_cluster
from .designs import AllPairs as AllPairs
from .file_names import printable as printable
from .file_names import scan_files as scan_files
from .linked_marks import LinkedMarks as LinkedMarks
from .linked_marks import linked_marks as linked_marks
from .links import Cluster as Cluster
from .links import Exhibit as Exhibit
from .links import Links as Links
from .links import PairInCluster as PairInCluster
from .links import find_links as find_links
from .links import links_csv as links_csv
from .links import links_graphml as links_graphml
from .links import published_threshold as published_threshold
from .mark_store import MarkSource as MarkSource
from .prepared_scans import Method as Method
from .prepared_scans import PreparedScan as PreparedScan
from .prepared_scans import prepare_scans as prepare_scans
from .rows import Row as Row
from .rows import pose_of as pose_of
from .rows import score_of as score_of
from .runs import KeptPairs as KeptPairs
from .runs import compare_missing as compare_missing
from .runs import on_this_machine as on_this_machine

__all__ = [
    "AllPairs",
    "Cluster",
    "Exhibit",
    "KeptPairs",
    "LinkedMarks",
    "Links",
    "MarkSource",
    "Method",
    "PairInCluster",
    "PreparedScan",
    "Row",
    "compare_missing",
    "find_links",
    "linked_marks",
    "links_csv",
    "links_graphml",
    "on_cluster",
    "on_this_machine",
    "pose_of",
    "prepare_scans",
    "printable",
    "published_threshold",
    "run_batch",
    "scan_files",
    "score_of",
]
