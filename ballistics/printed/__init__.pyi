# The face of this room: what other rooms may import.
from .collection.collection import Collection as Collection
from .collection.enrolment import collection_sha256 as collection_sha256
from .collection.enrolment import enrol_files as enrol_files
from .collection.enrolment import open_collection as open_collection
from .collection.false_hit_rate import FalseHitRate as FalseHitRate
from .collection.integrity import integrity_json as integrity_json
from .collection.integrity import verify_collection as verify_collection
from .collection.signature_records import RECORD_BYTES as RECORD_BYTES
from .collection.signature_records import signature_of_record as signature_of_record
from .collection.signature_records import signature_record as signature_record
from .collection.taxonomy import Taxonomy as Taxonomy
from .content.job_facts import JobFacts as JobFacts
from .content.mesh_views import render_view as render_view
from .content.mesh_views import six_views as six_views
from .content.part import Part as Part
from .content.part import PartFile as PartFile
from .describe.cloud import moved as moved
from .describe.inspection import FileDescription as FileDescription
from .describe.inspection import describe_file as describe_file
from .describe.plainness import PLAIN_WORTH as PLAIN_WORTH
from .describe.sampling import sample_surface as sample_surface
from .describe.signature import SIGNATURE_VERSION as SIGNATURE_VERSION
from .describe.signature import Signature as Signature
from .describe.signature import signature_of as signature_of
from .disk.archived import REFUSED as REFUSED
from .disk.archived import UNREADABLE as UNREADABLE
from .disk.batch import run_printed_batch as run_printed_batch
from .disk.results import FileResult as FileResult
from .disk.results import PrintedBatch as PrintedBatch
from .files.reading import read_job_facts as read_job_facts
from .files.reading import read_parts as read_parts
from .identify.coverage import deviations_of as deviations_of
from .identify.false_hits import QUERIES as QUERIES
from .identify.false_hits import is_measured as is_measured
from .identify.false_hits import measure_folder as measure_folder
from .identify.identification import Candidate as Candidate
from .identify.identification import Identification as Identification
from .identify.identification import identify as identify
from .identify.parameters import IdentificationParameters as IdentificationParameters
from .identify.pieces import separate_bodies as separate_bodies
from .identify.pieces_of_reference import PlacedPiece as PlacedPiece
from .identify.pieces_of_reference import ReferencePieces as ReferencePieces
from .identify.pieces_of_reference import reference_pieces as reference_pieces
from .identify.score import score_model as score_model
from .jobs.fingerprint import ProfileSimilarity as ProfileSimilarity
from .jobs.fingerprint import profile_similarity as profile_similarity
from .jobs.pictures import small_png as small_png
from .kin.kinship import KIN_COLUMNS as KIN_COLUMNS
from .kin.kinship import Family as Family
from .kin.kinship import Kin as Kin
from .kin.kinship import KinParameters as KinParameters
from .kin.kinship import Kinship as Kinship
from .kin.kinship import kin_of as kin_of
from .protocol.protocol import PROTOCOL_COLUMNS as PROTOCOL_COLUMNS
from .protocol.protocol import ProtocolResult as ProtocolResult
from .protocol.protocol import run_protocol as run_protocol
from .shape_class.classifier import CLASSES as CLASSES
from .shape_class.classifier import ShapeClassifier as ShapeClassifier
from .shape_class.classifier import train as train
from .shape_class.classifier_file import load_classifier as load_classifier
from .shape_class.classifier_file import refuse_existing as refuse_existing
from .shape_class.classifier_file import save_classifier as save_classifier
from .shape_class.features import ShapeFeatures as ShapeFeatures
from .shape_class.features import joined as joined
from .shape_class.features import shape_features as shape_features
from .shape_class.references import ShapeReference as ShapeReference
from .shape_class.references import read_shape_references as read_shape_references

__all__ = [
    "CLASSES",
    "KIN_COLUMNS",
    "PLAIN_WORTH",
    "PROTOCOL_COLUMNS",
    "QUERIES",
    "RECORD_BYTES",
    "REFUSED",
    "SIGNATURE_VERSION",
    "UNREADABLE",
    "Candidate",
    "Collection",
    "FalseHitRate",
    "Family",
    "FileDescription",
    "FileResult",
    "Identification",
    "IdentificationParameters",
    "JobFacts",
    "Kin",
    "KinParameters",
    "Kinship",
    "Part",
    "PartFile",
    "PlacedPiece",
    "PrintedBatch",
    "ProfileSimilarity",
    "ProtocolResult",
    "ReferencePieces",
    "ShapeClassifier",
    "ShapeFeatures",
    "ShapeReference",
    "Signature",
    "Taxonomy",
    "collection_sha256",
    "describe_file",
    "deviations_of",
    "enrol_files",
    "identify",
    "integrity_json",
    "is_measured",
    "joined",
    "kin_of",
    "load_classifier",
    "measure_folder",
    "moved",
    "open_collection",
    "profile_similarity",
    "read_job_facts",
    "read_parts",
    "read_shape_references",
    "reference_pieces",
    "refuse_existing",
    "render_view",
    "run_printed_batch",
    "run_protocol",
    "sample_surface",
    "save_classifier",
    "score_model",
    "separate_bodies",
    "shape_features",
    "signature_of",
    "signature_of_record",
    "signature_record",
    "six_views",
    "small_png",
    "train",
    "verify_collection",
]
