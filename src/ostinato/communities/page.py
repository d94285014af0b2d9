"""What a community model has learned, for a page: maps of what it knows, influences, carbon."""

from collections.abc import Mapping, Sequence
from typing import Any

from ostinato.runs import Evaluation, Section
from ostinato.view import Matrix, Multiples, Network, Table, Text, section

NONE = "No effect is as strong as those that are drawn; a smaller `--least` or `--share` shows more."


def explained(found: Mapping[str, Any]) -> Evaluation:
    """The sections of the page, from what `ostinato explain` writes to `explain.json`; nothing is judged in them."""
    species, metabolites = found["species"], found["metabolites"]
    edges = tuple((e["source"], e["target"], e["effect"]) for e in found["influences"])
    words = (
        "Median effect of a species that was put in, on metabolites above "
        f"{found['least']:g}, on species above {found['share']:g} of what they make of themselves, at the last time. "
        "Blue: more, red: less."
    )
    sections = [
        section("Who influences whom", Network(tuple(species), tuple(metabolites), edges), words),
        section("The strongest influences", Table(("species", "on", "effect"), edges[:20]) if edges else Text(NONE)),
    ]
    known = [section(name, _map(values, species, species, top=1.0)) for name, values in found["sensitivity"].items()]
    if known:
        note = (
            "Of predictions by networks that have not seen the community. Pale: little is known; struck out: too few."
        )
        sections.append(
            section("Squared correlation in communities that hold two species", Multiples(tuple(known)), note)
        )
    title = "How metabolites answer to the amount of a species at the start"
    sections.append(section(title, _map(found["gradients"], metabolites, species), found["gradient_note"]))
    if found["carbon"]:
        sections += _carbon(found["carbon"])
    return Evaluation("community", "", "", "", (), tuple(sections), title="What the model has learned")


def _carbon(carbon: Mapping[str, Any]) -> list[Section]:
    products = carbon["products"]
    words = (
        f"Carbon in {', '.join(products)} at the last time: {carbon['mean']:.4g} ± {carbon['deviation']:.3g} mM, "
        f"of which {carbon['net']:.4g} mM are new since the start."
    )
    title = "Trade-offs: correlation of products over the communities"
    note = "Red: where one is high, the other is low."
    return [section("Carbon", Text(words)), section(title, _map(carbon["trade_offs"], products, products), note)]


def _map(values: Any, rows: Sequence[str], columns: Sequence[str], top: float | None = None) -> Matrix:
    return Matrix(tuple(rows), tuple(columns), tuple(tuple(row) for row in values), top)
