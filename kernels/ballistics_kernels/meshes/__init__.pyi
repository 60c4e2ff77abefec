# The face of this room: what other rooms may import.
from .agreeing_matches import ReferenceMatches as ReferenceMatches
from .agreeing_matches import agreeing_pairs as agreeing_pairs
from .agreeing_matches import matches_by_reference as matches_by_reference
from .ball_descriptors import ball_descriptors as ball_descriptors
from .ball_descriptors import harmonic_recurrence as harmonic_recurrence
from .cell_grid import sort_into_cells as sort_into_cells
from .counterparts import counterparts as counterparts
from .fine_registration import register as register
from .layer_fill import fill_layers as fill_layers
from .matching import capped_distances as capped_distances
from .matching import least_of_rows as least_of_rows
from .matching import weighted_draws as weighted_draws
from .near_points import SampledSurface as SampledSurface
from .near_points import nearest_within as nearest_within
from .near_points import normals_from_neighbours as normals_from_neighbours
from .rasterise import rasterise as rasterise
from .scale_votes import StoredNeighbours as StoredNeighbours
from .scale_votes import scale_votes as scale_votes
from .similarity_consensus import ConsensusLimits as ConsensusLimits
from .similarity_consensus import Correspondences as Correspondences
from .similarity_consensus import similarity_consensus as similarity_consensus
from .surface_moments import area_and_centroid as area_and_centroid
from .surface_moments import surface_moments as surface_moments
from .surface_nets import surface_nets as surface_nets
from .surface_sampling import even_order as even_order
from .surface_sampling import points_on_triangles as points_on_triangles
from .surface_sampling import triangle_areas as triangle_areas
from .vertex_merging import merge_vertices as merge_vertices

__all__ = [
    "ConsensusLimits",
    "Correspondences",
    "ReferenceMatches",
    "SampledSurface",
    "StoredNeighbours",
    "agreeing_pairs",
    "area_and_centroid",
    "ball_descriptors",
    "capped_distances",
    "counterparts",
    "even_order",
    "fill_layers",
    "harmonic_recurrence",
    "least_of_rows",
    "matches_by_reference",
    "merge_vertices",
    "nearest_within",
    "normals_from_neighbours",
    "points_on_triangles",
    "rasterise",
    "register",
    "scale_votes",
    "similarity_consensus",
    "sort_into_cells",
    "surface_moments",
    "surface_nets",
    "triangle_areas",
    "weighted_draws",
]
