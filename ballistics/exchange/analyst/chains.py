"""Chains: which incidents does one firearm connect, in their order in time, and through which links."""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx

from ballistics.exchange.analyst.graph import (
    FOUND_AT,
    INVOLVED,
    PERHAPS_IT,
    SAME_FIREARM,
    AnalystGraph,
    Entity,
    Link,
    first_day,
)


@dataclass(frozen=True)
class Step:
    """An incident of a chain.

    Parameters
    ----------
    incident : Entity
    members : tuple of str
        Identifiers of the exhibits and firearms by which it belongs to the chain.
    links : tuple of Link
        The links by which they do: no likelihood ratio follows for two incidents from the links between.
    lead_only : bool
        Whether none of these links is evaluative or a fact.
    """

    incident: Entity
    members: tuple[str, ...]
    links: tuple[Link, ...]
    lead_only: bool


@dataclass(frozen=True)
class Chain:
    """Incidents that a firearm connects, or would connect if the leads are confirmed.

    Parameters
    ----------
    firearms : tuple of Entity
        Known firearms in it: none when only exhibits are linked to each other, several when links contradict.
    members : tuple of str
        Identifiers of all exhibits and firearms of the chain.
    steps : tuple of Step
        In the order of the incidents' dates; those without a date come last.
    contradicts : bool
        Whether several known firearms are in it that no link says may be one.
    """

    firearms: tuple[Entity, ...]
    members: tuple[str, ...]
    steps: tuple[Step, ...]
    contradicts: bool = False


def chains(graph: AnalystGraph, leads: bool = True) -> tuple[Chain, ...]:
    """Return the chains of two incidents and more, the longest first.

    Exhibits and firearms belong together when links of the kinds `SAME_FIREARM` and `PERHAPS_IT` connect them, directly
    or through others. That is an order of inspection, no opinion: what two links say does not add up to a third.

    Parameters
    ----------
    graph : AnalystGraph
    leads : bool
        Whether leads connect; without them only facts and evaluative links that support the same firearm do.

    Examples
    --------
    >>> from ballistics.exchange.analyst.graph import Entity
    >>> things = [Entity(f"e{k}", "exhibit", f"case {k}") for k in (1, 2)]
    >>> incidents = [Entity(f"i{k}", "incident", f"K-{k}", date) for k, date in ((1, "2026-05"), (2, "2025"))]
    >>> found = [Link(f"f{k}", f"e{k}", f"i{k}", FOUND_AT) for k in (1, 2)]
    >>> lead = Link("l", "e1", "e2", SAME_FIREARM, "lead")
    >>> graph = AnalystGraph((*things, *incidents), (*found, lead))
    >>> [[step.incident.label for step in chain.steps] for chain in chains(graph)], chains(graph, leads=False)
    ([['K-2', 'K-1']], ())
    """
    of = {entity.id: entity for entity in graph.entities}
    together = nx.Graph()
    joining = [link for link in graph.links if link.kind in (SAME_FIREARM, PERHAPS_IT) and _connects(link, leads)]
    together.add_edges_from((link.source, link.target) for link in joining)
    incidents: dict[str, set[str]] = {}
    for link in graph.links:
        if link.kind in (FOUND_AT, INVOLVED) and link.link_class == "fact":
            for member, incident in ((link.source, link.target), (link.target, link.source)):
                if of[incident].kind == "incident":
                    incidents.setdefault(member, set()).add(incident)
    made = []
    for group in nx.connected_components(together):
        members = tuple(sorted(group))
        steps = _steps(of, members, incidents, joining)
        if len(steps) > 1:
            firearms = tuple(of[member] for member in members if of[member].kind == "firearm")
            apart = nx.Graph()
            apart.add_nodes_from(firearm.id for firearm in firearms)
            perhaps = [link for link in joining if link.kind == PERHAPS_IT and {link.source, link.target} <= set(apart)]
            apart.add_edges_from((link.source, link.target) for link in perhaps)
            made.append(Chain(firearms, members, steps, nx.number_connected_components(apart) > 1))
    return tuple(sorted(made, key=lambda chain: (-len(chain.steps), chain.members)))


def _connects(link: Link, leads: bool) -> bool:
    if link.link_class == "evaluative":
        # A ratio below 1 speaks for two firearms.
        return link.log10_lr is None or link.log10_lr > 0.0
    return leads or link.link_class == "fact"


def _steps(
    of: dict[str, Entity], members: tuple[str, ...], incidents: dict[str, set[str]], joining: list[Link]
) -> tuple[Step, ...]:
    at: dict[str, list[str]] = {}
    for member in members:
        for incident in sorted(incidents.get(member, ())):
            at.setdefault(incident, []).append(member)
    steps = []
    for incident, own in at.items():
        links = tuple(link for link in joining if {link.source, link.target} & set(own))
        lead_only = bool(links) and all(link.link_class == "lead" for link in links)
        steps.append(Step(of[incident], tuple(own), links, lead_only))
    return tuple(sorted(steps, key=lambda step: (first_day(step.incident.date), step.incident.id)))
