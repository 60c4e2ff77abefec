"""One queue of leads: hits of searches of marks, printed parts and the registry; incidents that may share a firearm.

A lead says where to look, and how soon. It makes no statement on source: that is an examiner's, after looking.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ballistics.errors import CorruptFileError, ParameterError
from ballistics.files import load_json
from ballistics.registry.checking import MOST_COST_UNREPORTED, Checked
from ballistics.registry.records import checked_date, digest
from ballistics.registry.registry import Registry
from ballistics.registry.tables import lead_steps, leads
from ballistics.registry.writing import next_number, now

if TYPE_CHECKING:
    from ballistics.pairs import Links
    from ballistics.printed import Identification
    from ballistics.search import SearchResult

_CLASSES = Path(__file__).with_name("data") / "lead_classes.csv"
#: How soon to look, in words that claim nothing about source.
STRENGTHS = ("look at first", "look at next", "look at when there is time")
#: The states of a lead, and those that may follow each.
LEAD_STATES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "open": ("taken",),
        "taken": ("confirmed", "refuted", "open"),
        "confirmed": ("open",),
        "refuted": ("open",),
    }
)
# The threshold of a link between scans, in nats (`ballistics.pairs`), here only for the order of looking.
_FIRST_NATS = 150.0
_NEXT_PERCENTILE = 99.0
# What scores of templates of different firearms reach by chance (docs/exchange.md), here too only for the order.
_CHANCE_SCORE = 6.0


@cache
def lead_classes() -> Mapping[str, str]:
    """Return what to do next with a lead, by its class."""
    lines = [line for line in _CLASSES.read_text("utf-8").splitlines() if not line.startswith("#")]
    return MappingProxyType({row["lead_class"]: row["what_next"] for row in csv.DictReader(lines)})


@dataclass(frozen=True)
class Lead:
    """Where to look.

    Parameters
    ----------
    lead_class : str
        One of `lead_classes`.
    subject : str
        What was searched for: an exhibit, a file, a recovered firearm.
    target : str
        What it leads to.
    strength : str
        One of `STRENGTHS`: how soon to look.
    basis : str
        What it rests on, with scores, in words.

    Raises
    ------
    ParameterError
        When class or strength is none, or subject or target is empty.
    """

    lead_class: str
    subject: str
    target: str
    strength: str
    basis: str

    def __post_init__(self) -> None:
        if self.lead_class not in lead_classes():
            raise ParameterError(f"lead class '{self.lead_class[:40]}' is none of: {', '.join(lead_classes())}")
        if self.strength not in STRENGTHS:
            raise ParameterError(f"strength '{self.strength[:40]}' is none of: {', '.join(STRENGTHS)}")
        if not self.subject or not self.target:
            raise ParameterError("a lead goes from something to something: subject and target must be stated")

    @property
    def what_next(self) -> str:
        """What to do with it."""
        return lead_classes()[self.lead_class]


@dataclass(frozen=True)
class QueuedLead:
    """A lead in the queue.

    Parameters
    ----------
    number : int
    lead : Lead
    state : str
        One of `LEAD_STATES`.
    taken_by : str
        Who took it last; empty for nobody.
    steps : tuple of (str, str, str, str)
        Each state after the first: the state, the day, who, a note.
    recorded_on, recorded_by : str
    """

    number: int
    lead: Lead
    state: str
    taken_by: str
    steps: tuple[tuple[str, str, str, str], ...]
    recorded_on: str
    recorded_by: str


def queue_leads(registry: Registry, found: Iterable[Lead], by: str) -> list[int]:
    """Add leads to the queue, and return their numbers; a lead from the same to the same is there once.

    Parameters
    ----------
    registry : Registry
    found : iterable of Lead
    by : str
        Who adds them.
    """
    numbers = []
    with registry.writing() as connection:
        for lead in found:
            said = digest("\x1f".join((lead.lead_class, lead.subject, lead.target)))
            number = connection.scalar(sa.select(leads.c.id).where(leads.c.digest == said))
            if number is None:
                number = next_number(connection, leads)
                content = json.dumps(asdict(lead), sort_keys=True, ensure_ascii=False)
                row = {"id": number, "lead_class": lead.lead_class, "content": content, "digest": said}
                row |= {"recorded_on": now(), "recorded_by": by}
                connection.execute(sa.insert(leads), [row])
                registry.signing.row(connection, leads, row)
            numbers.append(int(number))
    return numbers


def move_lead(registry: Registry, number: int, state: str, on: str, by: str, note: str = "") -> QueuedLead:
    """Record that a lead was taken, confirmed, refuted or opened again.

    Parameters
    ----------
    registry : Registry
    number : int
    state : str
        One of `LEAD_STATES` that may follow.
    on : str
        The day, ``2024-05-17``.
    by : str
        Who takes it, or found the outcome.
    note : str
        For an outcome: what it rests on, such as the number of the report.

    Raises
    ------
    ParameterError
        When there is no such lead, the state may not follow, or an outcome has no note.
    """
    if len(checked_date(on, "day")) != 10:
        raise ParameterError(f"day '{on}' is not a day: write 2024-05-17")
    with registry.writing() as connection:
        (queued,) = _queued(connection, number) or (None,)
        if queued is None:
            raise ParameterError(f"there is no lead {number}")
        may = LEAD_STATES[queued.state]
        if state not in may:
            raise ParameterError(f"lead {number} is {queued.state}: {' or '.join(may)} may follow, not '{state[:40]}'")
        if state in ("confirmed", "refuted") and not note:
            raise ParameterError(f"say in the note what lead {number} was {state} by")
        row = {"id": next_number(connection, lead_steps), "lead": number, "state": state, "on": on, "by": by}
        row |= {"note": note, "recorded_on": now()}
        connection.execute(sa.insert(lead_steps), [row])
        registry.signing.row(connection, lead_steps, row)
        return _queued(connection, number)[0]


def queued_leads(registry: Registry, states: Sequence[str] = ()) -> list[QueuedLead]:
    """Return the leads of the queue, those to look at first first.

    Parameters
    ----------
    registry : Registry
    states : sequence of str
        Only leads in these states; empty for all.
    """
    with registry.reading() as connection:
        found = [lead for lead in _queued(connection) if not states or lead.state in states]
    return sorted(found, key=lambda queued: (STRENGTHS.index(queued.lead.strength), queued.number))


def _queued(connection: Connection, number: int | None = None) -> list[QueuedLead]:
    query, moved = sa.select(leads).order_by(leads.c.id), sa.select(lead_steps).order_by(lead_steps.c.id)
    if number is not None:
        query, moved = query.where(leads.c.id == number), moved.where(lead_steps.c.lead == number)
    steps: dict[int, list[tuple[str, str, str, str]]] = {}
    for row in connection.execute(moved):
        steps.setdefault(row.lead, []).append((row.state, row.on, row.by, row.note))
    found = []
    for row in connection.execute(query):
        own = tuple(steps.get(row.id, ()))
        state = own[-1][0] if own else "open"
        taken = [step[2] for step in own if step[0] == "taken"] if state != "open" else []
        lead = Lead(**json.loads(row.content))
        found.append(QueuedLead(row.id, lead, state, taken[-1] if taken else "", own, row.recorded_on, row.recorded_by))
    return found


@dataclass(frozen=True)
class LeadShare:
    """How the leads of a class and strength came out.

    Parameters
    ----------
    lead_class, strength : str
    confirmed, refuted, undecided : int
    share : float or None
        Of those that were decided, the share that was confirmed; None when none was decided.
    low, high : float or None
        Its 95 % interval (Clopper and Pearson).
    """

    lead_class: str
    strength: str
    confirmed: int
    refuted: int
    undecided: int
    share: float | None
    low: float | None
    high: float | None


def lead_shares(queued: Iterable[QueuedLead]) -> list[LeadShare]:
    """Return the share of leads that were confirmed, by class and strength.

    References
    ----------
    Clopper and Pearson, Biometrika 26 (1934) 404–413, doi:10.1093/biomet/26.4.404.
    """
    from scipy.stats import binomtest

    counts: dict[tuple[str, str], dict[str, int]] = {}
    for waiting in queued:
        own = counts.setdefault((waiting.lead.lead_class, waiting.lead.strength), dict.fromkeys(LEAD_STATES, 0))
        own[waiting.state] += 1
    found = []
    for key in sorted(counts, key=lambda key: (list(lead_classes()).index(key[0]), STRENGTHS.index(key[1]))):
        own = counts[key]
        decided = own["confirmed"] + own["refuted"]
        share = low = high = None
        if decided:
            share = own["confirmed"] / decided
            low, high = map(float, binomtest(own["confirmed"], decided).proportion_ci(method="exact"))
        undecided = own["open"] + own["taken"]
        found.append(LeadShare(*key, own["confirmed"], own["refuted"], undecided, share, low, high))
    return found


def leads_of_search(result: SearchResult, subject: str = "", most: int = 5) -> list[Lead]:
    """Return the first leads of a search of a library.

    Parameters
    ----------
    result : SearchResult
    subject : str
        The exhibit; default: the scan's name.
    most : int
        How many of the search's leads.
    """
    return [
        _mark_lead(
            (subject or result.scan, result.mark_kind, result.n_searched, result.library),
            (lead.rank, lead.entry.id, lead.entry.scan, lead.entry.description.incident),
            (lead.similarity, lead.at_or_above, lead.percentile),
        )
        for lead in result.leads[:most]
        if lead.similarity is not None
    ]


def leads_of_identification(found: Identification, subject: str) -> list[Lead]:
    """Return the references that a file of a printed part was found to be, or to share.

    Parameters
    ----------
    found : Identification
    subject : str
        The file or exhibit.
    """
    return [
        _part_lead(subject, candidate.name, candidate.relation, candidate.score, found.threshold)
        for candidate in found.accepted
    ]


def leads_of_file(path: Path, subject: str = "", most: int = 5) -> list[Lead]:
    """Return the leads of the JSON that `ballistics search`, `exchange search` or `printed identify` wrote.

    Parameters
    ----------
    path : Path
    subject : str
        The exhibit; default: the name of the scan, or of each file.
    most : int
        How many leads of a search of a library, or of partners' packages.

    Raises
    ------
    ReadError
        When it cannot be read.
    CorruptFileError
        When it is neither, or was altered.
    """
    says = load_json(path, "a search or an identification")
    try:
        if says["schema"] == "ballistics/search/1":
            asked = says["questioned"]
            source = (subject or asked["scan"], asked["mark_kind"], says["counts"]["searched"], says["library"])
            return [
                _mark_lead(
                    source,
                    (lead["rank"], lead["mark"], lead["scan"], lead["description"]["incident"]),
                    (lead["similarity"], lead["different_source_at_or_above"], lead["percentile"]),
                )
                for lead in says["leads"][:most]
                if lead["similarity"] is not None
            ]
        if says["schema"] == "ballistics/printed/1":
            return [
                _part_lead(subject or file["name"], found["name"], found["relation"], found["score"], file["threshold"])
                for file in says["files"]
                for found in file["accepted"]
            ]
        if says["schema"] == "ballistics/partner-search/1":
            return [
                _partner_lead(subject or says["scan"], lead, says["n_searched"], rank)
                for rank, lead in enumerate(says["leads"][:most], 1)
            ]
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptFileError(f"{path} is no search or identification as this program writes them: {error}") from None
    raise CorruptFileError(f"{path}: there are no leads in a document of the kind '{str(says['schema'])[:60]}'")


def _mark_lead(
    searched: tuple[str, str, int, str],
    mark: tuple[int, int, str, str],
    scores: tuple[float, int | None, float | None],
) -> Lead:
    subject, mark_kind, count, library = searched
    rank, number, scan, incident = mark
    similarity, at_or_above, percentile = scores
    strength = STRENGTHS[2]
    if similarity >= _FIRST_NATS or at_or_above == 0:
        strength = STRENGTHS[0]
    elif percentile is not None and percentile >= _NEXT_PERCENTILE:
        strength = STRENGTHS[1]
    basis = f"{mark_kind}, rank {rank} of {count}: similarity {similarity:.0f} nats"
    if percentile is not None:
        basis += f"; {at_or_above} known different-source scores are as high"
    of = f", incident {incident}" if incident else ""
    return Lead("library search", subject, f"mark {number} {scan}{of} in library {library[:8]}", strength, basis)


def _partner_lead(subject: str, says: Mapping[str, Any], n_searched: int, rank: int) -> Lead:
    score, package = float(says["score"]), str(says["package"])
    target = f"{says['laboratory']}: mark {int(says['mark']['number'])} of {package[:8]}"
    strength = STRENGTHS[0] if rank == 1 and score > _CHANCE_SCORE else STRENGTHS[1]
    return Lead("partner package", subject, target, strength, f"templates, rank {rank} of {n_searched}: {score:.1f}")


def _part_lead(subject: str, name: str, relation: str, score: float, threshold: float) -> Lead:
    strength = STRENGTHS[0] if relation in ("exact copy", "same geometry") else STRENGTHS[1]
    basis = f"{relation}, score {score:.2f} (threshold {threshold:.2f})"
    return Lead("printed part", subject, f"reference {name}", strength, basis)


def leads_of_check(checked: Iterable[Checked]) -> list[Lead]:
    """Return the recovered firearms of a list that the registry has as stolen or lost."""
    return [
        Lead(
            "registry",
            f"recovered firearm {row.question.make} {row.question.serial}".replace("  ", " "),
            f"firearm {row.hit.firearm}, {row.hit.source} {row.hit.source_key}",
            STRENGTHS[0] if row.cost <= MOST_COST_UNREPORTED else STRENGTHS[1],
            "; ".join((*(report.words() for report in row.reports if report.is_open), *row.hit.reasons)),
        )
        for row in checked
        if row.is_reported and row.hit is not None
    ]


def firearm_of_lead(lead: Lead) -> int | None:
    """Return the number of the registered firearm that a lead of the class ``registry`` leads to."""
    found = re.match(r"firearm (\d{1,9}), ", lead.target) if lead.lead_class == "registry" else None
    return None if found is None else int(found[1])


def leads_of_links(links: Links, incidents: Mapping[str, str]) -> list[Lead]:
    """Return the pairs of incidents whose exhibits are linked.

    Parameters
    ----------
    links : Links
        From `ballistics.pairs.find_links`.
    incidents : mapping
        The incident of each exhibit, by its name; pairs of which one is not in it, or of one incident, are no lead.
    """
    found: dict[tuple[str, str], Lead] = {}
    for cluster in links.clusters:
        for pair in sorted(cluster.links, key=lambda pair: -(pair.score or 0.0)):
            a, b = sorted((incidents.get(pair.a.name, ""), incidents.get(pair.b.name, "")))
            if not a or a == b or (a, b) in found or pair.score is None:
                continue
            strength = STRENGTHS[0] if pair.score >= 2 * links.at_least else STRENGTHS[1]
            basis = f"{pair.a.name} and {pair.b.name}: {pair.score:.4g}, a link from {links.at_least:.4g}"
            found[a, b] = Lead("shared incident", f"incident {a}", f"incident {b}", strength, basis)
    return list(found.values())
