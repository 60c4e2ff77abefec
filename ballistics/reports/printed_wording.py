"""What an identification says in words: a lead, what it rests on, and what its numbers are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ballistics.printed.identification import Candidate, Identification
    from ballistics.printed.inspection import FileDescription
    from ballistics.printed.taxonomy import Taxonomy

LEAD = "A hit is a lead for an examiner, who has to look at both files: it is no opinion and no evidence."

PLAIN_WORDS = "The shape is plain: things of other origin may have it too."

LIMITS = (
    ("A lead, not a result.", "The page says which reference to look at first. An examiner compares the files "
     "themselves, and judges whether one derives from the other."),
    ("Shape, not function.", "That a file has the shape of a reference says nothing about whether an object printed "
     "from it would work, was ever printed, or by whom."),
    ("No weight of evidence.", "The score tells related from unrelated shapes. It is no probability and no likelihood "
     "ratio, and the rate of false hits holds for shapes like those it was measured on."),
    ("Common shapes.", "Screws, rails, grips and plain blocks are alike without being derived from one another. A "
     "small shared region may be such a shape."),
    ("No hit is no clearance.", "The collection holds what was enrolled. A design that is not in it, or a piece too "
     "small, too coarse or too much changed, is not found."),
)  # fmt: skip

_RELATIONS = {
    "exact copy": "An exact copy of",
    "copy": "A copy of",
    "same geometry": "The same geometry as",
    "part of the reference": "A part of",
    "contains the reference": "Contains",
    "shares a region": "Shares a region with",
}
# Scales nearer to 1 than this are rounding and registration.
_SAME_SCALE = 0.005
_AT_SIZE = "at the same size"
_UNITS = {25.4: "inches taken as millimetres", 10.0: "centimetres taken as millimetres", 1000.0: "a thousandfold"}


def percent(share: float) -> str:
    """Return a share in per cent: nothing is rounded to all or nothing.

    Examples
    --------
    >>> percent(0.984), percent(0.9999), percent(1.0), percent(0.0004)
    ('98 %', 'more than 99 %', '100 %', 'less than 1 %')
    """
    if 0.0 < share < 0.01:
        return "less than 1 %"
    return "more than 99 %" if 0.99 < share < 1.0 else f"{100.0 * share:.0f} %"


def scale_words(scale: float) -> str:
    """Return by how much the query is larger or smaller than the reference, and the slip that would explain it.

    Examples
    --------
    >>> scale_words(1.001), scale_words(0.5), scale_words(1 / 25.4)
    ('at the same size', 'scaled by 0.500', 'scaled by 0.0394 (as by inches taken as millimetres)')
    """
    if abs(scale - 1.0) <= _SAME_SCALE:
        return _AT_SIZE
    text = f"scaled by {scale:.3g}" if scale < 0.1 or scale >= 100.0 else f"scaled by {scale:.3f}"
    for factor, slip in _UNITS.items():
        if min(abs(scale * factor - 1.0), abs(scale / factor - 1.0)) <= _SAME_SCALE:
            return f"{text} (as by {slip})"
    return text


def candidate_sentence(candidate: Candidate, taxonomy: Taxonomy, *, symmetric: bool = False) -> str:
    """Return what was found, in one sentence.

    Parameters
    ----------
    candidate : Candidate
    taxonomy : Taxonomy
        For the category's words.
    symmetric : bool
        Whether the reference is its own mirror image.
    """
    mirrored = candidate.mirrored and not symmetric
    words = relation_words(candidate.relation, candidate.scale, mirrored)
    category = f" ({taxonomy.title(candidate.category)})" if candidate.category else ""
    hand = ", mirrored" if mirrored else ""
    return f"{_RELATIONS[words]} “{candidate.name}”{category}, {scale_words(candidate.scale)}{hand}."


def relation_words(relation: str, scale: float, mirrored: bool) -> str:
    """Return the relation; what was scaled or mirrored is a copy, but not an exact one.

    Examples
    --------
    >>> relation_words("exact copy", 2.0, False), relation_words("exact copy", 1.0, False)
    ('copy', 'exact copy')
    """
    changed = mirrored or scale_words(scale) != _AT_SIZE
    return "copy" if relation == "exact copy" and changed else relation


def shares_sentence(candidate: Candidate) -> str:
    """Return how much of each surface lies on the other."""
    share = percent(candidate.query_share)
    return (
        f"{share[0].upper()}{share[1:]} of the query's surface lies within {candidate.tolerance_mm:.2g} mm of the "
        f"reference; {percent(candidate.reference_share)} of the reference's surface is present in the query."
    )


def score_sentence(candidate: Candidate, found: Identification) -> str:
    """Return the score against what is known of unrelated shapes."""
    plain = f" {PLAIN_WORDS}" if found.detail < found.plain_below else ""
    if candidate.relation == "exact copy":
        return f"Known by its geometry hash; score of the surfaces {candidate.score:.2f}.{plain}"
    return (
        f"Score {candidate.score:.2f}; the threshold is {found.threshold:g}, which at most "
        f"{100.0 * found.false_hit_rate:g} % of unrelated queries reach (upper 95 % bound).{plain}"
    )


def mirror_sentence(candidate: Candidate, *, symmetric: bool) -> str:
    """Return what can be said of the hand."""
    if symmetric:
        return "The reference is its own mirror image: whether the query was mirrored cannot be told."
    return "The query shows the mirror image of the reference." if candidate.mirrored else "Not mirrored."


def headline(found: Identification, file: FileDescription, references: int) -> str:
    """Return the verdict on a file."""
    searched = f"{references} reference{'s were' if references != 1 else ' was'} searched"
    if not found.accepted:
        best = max((one.score for one in found.candidates), default=0.0)
        if found.verdict == "too plain to identify":
            return (
                f"Too plain to identify: boxes, plates and the like lie on many references (detail {found.detail:.1f}, "
                f"below {found.plain_below:g}). {searched}, the best score is {best:.2f}, below {found.threshold:g}."
            )
        return f"Nothing in the collection: {searched}, the best score is {best:.2f}, below {found.threshold:g}."
    several = f"{len(found.accepted)} references explain parts of it" if len(found.accepted) > 1 else "1 reference"
    parts = f"{len(file.parts)} parts" if len(file.parts) > 1 else "1 part"
    return f"In the collection: {several} ({parts}; {searched})."


def two_files_headline(found: Identification, other: str) -> str:
    """Return the verdict on a comparison of two files."""
    if found.accepted:
        return f"The file has geometry in common with “{other}”."
    best = max((one.score for one in found.candidates), default=0.0)
    if found.verdict == "too plain to identify":
        return f"The file is too plain to say whether it has geometry in common with “{other}”: many shapes would fit."
    return f"No geometry in common with “{other}” was found: the best score is {best:.2f}, below {found.threshold:g}."


def where_sentence(candidate: Candidate, components: int) -> str:
    """Return which of the query's bodies this is about."""
    if components <= 1:
        return ""
    if candidate.component < 0:
        return f"Found with all {components} bodies of the file together."
    return f"Found in body {candidate.component + 1} of {components}."
