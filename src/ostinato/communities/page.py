"""What a community model has learned, as one page: maps of what it knows, influences, carbon."""

from collections.abc import Mapping, Sequence
from typing import Any

from ostinato.view.matrix import matrix_figure
from ostinato.view.network import network_figure
from ostinato.view.page import drawn, grid, page, section
from ostinato.view.svg import tag, text


def explained(name: str, found: Mapping[str, Any]) -> str:
    """The page as HTML, from what `ostinato explain` writes to `explain.json`."""
    species, metabolites = found["species"], found["metabolites"]
    parts = [tag("p", text(f"Ostinato · {name}"), class_="soft"), tag("h1", text("What the model has learned"))]
    edges = [(e["source"], e["target"], e["effect"]) for e in found["influences"]]

    def draw(width: int) -> str:
        return network_figure(species, metabolites, edges, label="influences", width=width)

    words = (
        "Median effect of a species that was put in, on metabolites above "
        f"{found['least']:g}, on species above {found['share']:g} of what they make of themselves, at the last time. "
        "Blue: more, red: less."
    )
    parts.append(section("Who influences whom", drawn(draw, words)))
    head = ["species", "on", "effect"]
    parts.append(section("The strongest influences", grid(head, [(list(edge), False) for edge in edges[:20]])))
    for metabolite, values in found["sensitivity"].items():
        title = f"{metabolite}: R² in communities that hold two species"
        note = "Of predictions by networks that have not seen the community. Pale: little is known; blank: too few."
        parts.append(section(title, _map(values, species, species, title, note, top=1.0)))
    title = "How metabolites answer to the amount of a species at the start"
    parts.append(section(title, _map(found["gradients"], metabolites, species, title, found["gradient_note"])))
    if found["carbon"]:
        parts += _carbon(found["carbon"])
    return page(f"What {name} has learned", parts)


def _carbon(carbon: Mapping[str, Any]) -> list[str]:
    products = carbon["products"]
    words = (
        f"Carbon in {', '.join(products)} at the last time: {carbon['mean']:.4g} ± {carbon['deviation']:.3g} mM, "
        f"of which {carbon['net']:.4g} mM are new since the start."
    )
    title = "Trade-offs: correlation of products over the communities"
    return [
        section("Carbon", tag("p", text(words))),
        section(
            title, _map(carbon["trade_offs"], products, products, title, "Red: where one is high, the other is low.")
        ),
    ]


def _map(values: Any, rows: Sequence[str], columns: Sequence[str], label: str, note: str, **options: Any) -> str:
    shown = [[float("nan") if v is None else v for v in row] for row in values]

    def draw(width: int) -> str:
        return matrix_figure(shown, rows, columns, label=label, width=width, **options)

    return drawn(draw, note)
