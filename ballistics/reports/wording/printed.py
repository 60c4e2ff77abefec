"""What an identification says in words: a lead, what it rests on, and what its numbers are not."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ballistics.printed import score_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ballistics.printed import Candidate, FalseHitRate, FileDescription, Identification, ReferencePieces, Taxonomy

LEAD = "A hit is a lead for an examiner, who has to look at both files: it is no opinion and no evidence."

#: Of references that a query lies on equally well.
CANNOT_BE_TOLD = "which cannot be told apart here"
PLAIN_WORDS = "The shape is plain: things of other origin may have it too."
NOT_MEASURED = (
    "How often unrelated queries hit this collection was not measured: it is too small, or of an older version "
    "(`ballistics printed measure`)."
)

LIMITS = (
    ("A lead, not a result.", "The page says which reference to look at first. An examiner compares the files "
     "themselves, and judges whether one derives from the other."),
    ("Shape, not function.", "That a file has the shape of a reference says nothing about whether an object printed "
     "from it would work, was ever printed, or by whom."),
    ("No weight of evidence.", "The score tells related from unrelated shapes. It is no probability and no likelihood "
     "ratio, and the rate of false hits was measured with queries made from the collection: it holds for shapes like "
     "these."),
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
_LONGEST = 300
# Names in one sentence; the page's table and the JSON have all.
_NAMED = 6
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


def short(text: str) -> str:
    """Return a text that a file states, cut off where it is too long for a page."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


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


def candidate_sentence(
    candidate: Candidate, taxonomy: Taxonomy, tied: Sequence[Candidate] = (), *, symmetric: bool = False
) -> str:
    """Return what was found, in one sentence.

    Parameters
    ----------
    candidate : Candidate
    taxonomy : Taxonomy
        For the category's words.
    tied : sequence of Candidate
        The others that the query does not tell from it, from `Identification.tied_with`.
    symmetric : bool
        Whether the reference is its own mirror image.
    """
    mirrored = candidate.mirrored and not symmetric
    words = relation_words(candidate.relation, candidate.scale, mirrored)
    if tied:
        names = _listed([f"“{other.name}”" for other in (candidate, *tied)], "or")
        same = "which are copies of each other" if candidate.relation == "exact copy" else CANNOT_BE_TOLD
        return f"{_RELATIONS[words]} one of these, {same}: {names}{', mirrored' if mirrored else ''}."
    category = f" ({taxonomy.title(candidate.category)})" if candidate.category else ""
    handedness = ", mirrored" if mirrored else ""
    return f"{_RELATIONS[words]} “{candidate.name}”{category}, {scale_words(candidate.scale)}{handedness}."


def relation_words(relation: str, scale: float, mirrored: bool) -> str:
    """Return the relation; what was scaled or mirrored is a copy, but not an exact one.

    Parameters
    ----------
    relation : str
        As of `Candidate`.
    scale : float
        Length in the query over length in the reference.
    mirrored : bool
        Whether the query shows the mirror image of a reference that is not its own.

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
    """Return the score, and whether what is shared is plain."""
    plain = f" {PLAIN_WORDS}" if candidate.worth < found.plain_below else ""
    if candidate.relation == "exact copy":
        text = f"Known by its geometry hash; score of the surfaces {candidate.score:.2f}."
    else:
        text = f"Score {candidate.score:.2f}, {threshold_words(candidate.score, found)}."
    if candidate.is_plain:
        return f"{text} {too_plain_sentence(candidate, found)}"
    return f"{text}{_beside_words(candidate, found)}{plain}"


def threshold_words(score: float, found: Identification) -> str:
    """Return how far a score is above or below the threshold, in words and as a number.

    "Barely" is the first third of the way, in log-odds, from the threshold to the score from which a search is not
    widened; "far" is beyond that score.

    Parameters
    ----------
    score : float
        0–1.
    found : Identification
        Its threshold, and ``decisive`` among the parameters of its provenance.
    """
    off = abs(score - found.threshold)
    decisive = float(found.provenance.parameters["decisive"])
    if score < found.threshold:
        return f"{off:.2f} below the threshold of {found.threshold:g}"
    way = _log_odds(score) - _log_odds(found.threshold)
    words = "barely " if 3.0 * way < _log_odds(decisive) - _log_odds(found.threshold) else ""
    return f"{'far ' if score >= decisive else words}above the threshold of {found.threshold:g} (by {off:.2f})"


def _log_odds(score: float) -> float:
    within = min(max(score, 0.001), 0.999)
    return math.log(within / (1.0 - within))


def miss_sentence(candidate: Candidate, found: Identification) -> str:
    """Return how little a candidate below the threshold lacks, and what speaks most against it."""
    words, value, adds, most = max(score_rows(candidate), key=lambda row: row[3] - row[2])
    lacks = _log_odds(found.threshold) - _log_odds(candidate.score)
    return (
        f"It lacks {lacks:.1f} in log-odds. Most is lost by this: {words[0].lower()}{words[1:]}: {value} (adds "
        f"{adds:.1f} of {most:.1f})."
    )


def unexplained_sentence(found: Identification) -> str:
    """Return which bodies of the query no hit explains; nothing where there is one body, or no hit."""
    smallest = float(found.provenance.parameters["rest_share"])
    left = {body: share for body, share in found.unexplained().items() if share >= smallest}
    if not found.accepted or int(found.components.max()) == 0 or not left:
        return ""
    bodies = [f"body {body + 1} ({percent(share)} of its surface)" for body, share in left.items()]
    return f"Explained by no hit: {_listed(bodies)}."


def _beside_words(candidate: Candidate, found: Identification) -> str:
    """Return how many other references the same whole body fits, and which of them it does not tell from this one."""
    if math.isnan(candidate.straying):
        return ""
    own = [other for other in found.candidates if other.component == candidate.component and other.row != candidate.row]
    others = [other for other in own if not math.isnan(other.straying)]
    if not others:
        return ""
    fit = f" {len(others)} other reference{'s' if len(others) > 1 else ''} fit{'' if len(others) > 1 else 's'} too"
    tied = [f"“{other.name}”" for other in found.tied_with(candidate)]
    return f"{fit}; the query does not tell it from {_listed(tied)}." if tied else f"{fit}, less closely."


def false_hits_sentence(measured: FalseHitRate | None) -> str:
    """Return how often unrelated queries have a hit in the collection that was searched.

    Examples
    --------
    >>> from ballistics.printed.collection.false_hit_rate import FalseHitRate
    >>> false_hits_sentence(FalseHitRate(200, 1, 653, "8", 11))
    'In this collection 1 of 200 unrelated queries had a hit: at most 2.3 % (upper 95 % limit).'
    """
    if measured is None:
        return NOT_MEASURED
    return (
        f"In this collection {measured.hits} of {measured.queries} unrelated queries had a hit: at most "
        f"{100.0 * measured.upper:.2g} % (upper 95 % limit)."
    )


def too_plain_sentence(candidate: Candidate, found: Identification) -> str:
    """Return why a candidate that fits is not accepted."""
    alike = f"; {candidate.alike} other references look like it" if candidate.alike else ""
    return (
        f"Too plain to be accepted: what both share is worth {candidate.worth:.1f} nats beyond plain bodies (boxes, "
        f"bars, rods, plates), less than {found.plain_below:g}. The reference itself is worth "
        f"{candidate.reference_worth:.1f}{alike}."
    )


def plain_bodies_sentence(found: Identification) -> str:
    """Return which bodies of the query are too plain to be told from others; nothing when none is."""
    bodies = sorted(number + 1 for number in found.worths if number >= 0 and found.worths[number] < found.plain_below)
    if not bodies:
        return ""
    if len(found.worths) == 1:
        if found.verdict == "too plain to identify":
            return ""
        return (
            f"The query is plain, worth {max(found.worths.values()):.1f} nats beyond boxes, bars, rods and plates: "
            f"below {found.plain_below:g} a body is named only as a copy."
        )
    listed = _listed([str(number) for number in bodies])
    return (
        f"{_verb([''] * len(bodies), 'Body', 'Bodies')} {listed} of the query {_verb([''] * len(bodies), 'is', 'are')} "
        f"too plain to be named: worth less than {found.plain_below:g} nats beyond boxes, bars, rods and plates."
    )


def order_sentence(found: Identification) -> str:
    """Return what the order of look-alikes rests on; nothing where there are none among the candidates."""
    told = [candidate for candidate in found.candidates if not math.isnan(candidate.straying)]
    if len(told) < 2:
        return ""
    strays = "; ".join(f"{candidate.name} {100.0 * candidate.straying:.2g} %" for candidate in told)
    return (
        "References that the whole query lies on are in the order in which it strays from them least, not of their "
        f"scores, which differ by less than they scatter. Beyond 0.6 % of its size it strays from: {strays}."
    )


def score_rows(candidate: Candidate) -> list[tuple[str, str, float, float]]:
    """Return what the score is made of: words, the value, what it adds to the log-odds, and the most it could add."""
    values = {
        "coverage": ("Area that both cover, running the same way", percent(candidate.coverage)),
        "agreement": ("Agreement of the local shape, place by place; 1 is chance", f"{candidate.agreement:.1f}"),
        "detail": ("Detail of what lies on each other; 3 to 7 for boxes and plates", f"{candidate.detail:.1f} nats"),
        "radii": ("Radii that both are described at: fewer for sizes far apart", f"{candidate.radii} of 6"),
        "exactness": ("Of what lies near the reference, lies on it exactly", percent(candidate.exactness)),
        "missing": ("Of the reference, missing where the query is empty, as after a cut", percent(candidate.missing)),
        "added": ("Of the query, added outside the reference, as dummy material", percent(candidate.added)),
    }
    most = {curve.name: max(curve.added) for curve in score_model().curves}
    return [(*values[name], candidate.log_odds[name], most[name]) for name in candidate.log_odds]


def mirror_sentence(candidate: Candidate, *, symmetric: bool) -> str:
    """Return whether the query is mirrored, in one sentence."""
    if symmetric:
        return "The reference is its own mirror image: whether the query was mirrored cannot be told."
    return "The query shows the mirror image of the reference." if candidate.mirrored else "Not mirrored."


def headline(found: Identification, file: FileDescription, references: int) -> str:
    """Return the verdict on a file.

    Parameters
    ----------
    found : Identification
        Of the file.
    file : FileDescription
        For the number of its parts.
    references : int
        How many references were searched.
    """
    searched = f"{references} reference{'s were' if references != 1 else ' was'} searched"
    if not found.accepted:
        best = max((candidate.score for candidate in found.candidates), default=0.0)
        if found.verdict == "too plain to identify":
            fits = len(
                {
                    candidate.row
                    for candidate in found.candidates
                    if candidate.is_plain and candidate.fits(found.threshold)
                }
            )
            worth = max(found.worths.values())
            if worth >= found.plain_below:
                what = "the only shape that fits is" if fits == 1 else f"the {fits} shapes that fit are"
                return f"Too plain to identify: {what} plain, and the rest of the query is in none. {searched}."
            why = (
                f"the query is worth {worth:.1f} nats beyond boxes, bars, rods and plates, and below "
                f"{found.plain_below:g} a body is named only as a copy"
            )
            shared = f"; {fits} fit{'s' if fits == 1 else ''}, sharing no more than a plain shape" if fits else ""
            return f"Too plain to identify: {why}. {searched}{shared}."
        return f"Nothing in the collection: {searched}, the best score is {best:.2f}, below {found.threshold:g}."
    different = len({candidate.row for candidate in found.accepted})
    several = f"{different} reference{'s' if different != 1 else ''}"
    tied = [len(others) + 1 for others in map(found.tied_with, found.accepted) if others]
    if len(found.accepted) > 1:
        several += " explain parts of it" if different != 1 else f" explains {len(found.accepted)} parts of it"
        if tied:
            several += f", {len(tied)} of them {'stands' if len(tied) == 1 else 'stand'} for several, {CANNOT_BE_TOLD}"
    elif tied:
        several = f"one of {tied[0]} references, {CANNOT_BE_TOLD}"
    parts = f"{len(file.parts)} parts" if len(file.parts) > 1 else "1 part"
    return f"In the collection: {several} ({parts}; {searched})."


def two_files_headline(found: Identification, other: str) -> str:
    """Return the verdict on a comparison of two files."""
    if found.accepted:
        return f"The file has geometry in common with “{other}”."
    best = max((candidate.score for candidate in found.candidates), default=0.0)
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


def pieces_sentences(group: ReferencePieces, names: Sequence[str], category: str) -> tuple[str, ...]:
    """Return what several files hold of one reference, the statement first.

    Parameters
    ----------
    group : ReferencePieces
    names : sequence of str
        Of each piece, see `piece_names`.
    category : str
        Of the reference, in words; may be empty.
    """
    reference = f"“{group.name}”" + (f" ({category})" if group.category else "")
    own = [k for k, piece in enumerate(group.placed) if piece.place == "its own"]
    again = [names[k] for k, piece in enumerate(group.placed) if piece.place == "that of another"]
    uncertain = [names[k] for k, piece in enumerate(group.placed) if piece.place == "uncertain"]
    found = []
    if group.complementary:
        first, *others = ((names[k], percent(group.placed[k].share)) for k in own)
        held = [f"{first[0]} holds {first[1]} of its surface", *(f"{name} {share}" for name, share in others)]
        twice = f", {percent(group.twice)} of it more than once" if group.twice else ""
        found += [
            f"{len(own)} pieces of {reference}: {_listed(held)}; together {percent(group.together)}{twice}.",
            _fit_sentence(group, own, names),
            "Pieces that lie on different places of one reference say more than each alone; how much more was not "
            "measured.",
        ]
        mirrored = [names[k] for k in own if group.placed[k].fits_mirrored]
        if mirrored:
            found.append(
                f"The mirror image of {_listed(mirrored)} would also fit where another piece lies: it may be a "
                "mirrored copy of that one."
            )
    else:
        share = percent(group.placed[0].share)
        found.append(
            f"{len(group.placed)} files or bodies hold something of {reference}, not different pieces as far as shape "
            f"tells: {names[0]} holds {share} of its surface."
        )
    if again:
        found.append(
            f"{_listed(again)} {_verb(again, 'covers', 'cover')} what another piece covers: as far as shape tells "
            f"{_verb(again, 'a copy, a version or a part', 'copies, versions or parts')} of it, no further "
            f"{_verb(again, 'piece', 'pieces')}."
        )
    if uncertain:
        found.append(
            f"{_listed(uncertain)} {_verb(uncertain, 'lies', 'lie')} beside it and would also fit where another piece "
            "lies, because the reference is alike at both places: copies of one piece and pieces that are alike cannot "
            "be told from each other."
        )
    return tuple(found)


def _fit_sentence(group: ReferencePieces, own: Sequence[int], names: Sequence[str]) -> str:
    """Return whether pieces fit together as they are."""
    if group.same_scale and group.same_hand:
        return "They have the same scale and handedness, as pieces of one object have."
    wrong = []
    if not group.same_scale:
        scales = _listed([f"{names[k]} {scale_words(group.placed[k].scale)}" for k in own])
        wrong.append(f"the scales differ ({scales})")
    if not group.same_hand:
        mirrored = [names[k] for k in own if group.placed[k].mirrored]
        wrong.append(f"{_listed(mirrored)} {_verb(mirrored, 'is', 'are')} mirrored")
    return f"As they are they do not fit together: {' and '.join(wrong)}."


def _listed(words: Sequence[str], last: str = "and") -> str:
    """Return words in a row.

    Examples
    --------
    >>> _listed(["a"]), _listed(["a", "b", "c"]), _listed(list("abcdefgh"), "or")
    ('a', 'a, b and c', 'a, b, c, d, e, f or 2 more')
    """
    if len(words) > _NAMED:
        return f"{', '.join(words[:_NAMED])} {last} {len(words) - _NAMED} more"
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _verb(words: Sequence[str], singular: str, plural: str) -> str:
    return singular if len(words) == 1 else plural
