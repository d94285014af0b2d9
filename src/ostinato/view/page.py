"""One HTML page that needs nothing else: no network, light and dark, on a desk and on a phone."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ostinato.view.frame import NARROW, SMALL, WIDE
from ostinato.view.svg import FIGURE_STYLE, colour_rules, tag, text
from ostinato.view.ticks import even_labels, number_label

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Space:
    """What room a figure has: the widths that it is drawn in, its height, whether it has a legend of its own."""

    widths: tuple[int, ...] = (WIDE, NARROW)
    height: int = 320
    named: bool = True


PAGE, ONE_OF_FEW, ONE_OF_MANY = Space(), Space((NARROW,), 250), Space((SMALL,), 170)


def page(title: str, sections: Iterable[str]) -> str:
    """The whole document; `sections` are markup."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
    head = (
        '<meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        # Nothing is ever loaded, not even by a label that got through unescaped.
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    )
    style = colour_rules(":root") + (HERE / "page.css").read_text() + FIGURE_STYLE
    script = (HERE / "page.js").read_text()
    inside = tag("head", head, tag("title", text(title)), tag("style", style))
    inside += tag("body", tag("main", *sections), tag("script", script))
    return f"<!doctype html>\n{tag('html', inside, lang='en')}\n"


def section(title: str, *content: str, note: str = "", level: int = 2, csv: str | None = None) -> str:
    """A part with its heading, where it has one, and words below it; `csv`: its numbers, to be taken away."""
    head = tag(f"h{level}", text(title)) if title else ""
    words = tag("figcaption", text(note), class_="soft") if note else ""
    return tag("section", head, tag("figure", *content, words, data_csv=csv))


def folded(title: str, *content: str) -> str:
    """A part that opens at a click."""
    return tag("details", tag("summary", text(title)), *content)


def drawn(draw: Callable[[int], str], space: Space = PAGE) -> str:
    """A figure drawn twice, for a desk and for a phone, of which the page shows the one that fits; or once."""
    if len(space.widths) == 1:
        return draw(space.widths[0])
    wide, narrow = space.widths
    return tag("div", draw(wide), class_="wide") + tag("div", draw(narrow), class_="narrow")


def readable(draw: Callable[[int], str], space: Space = PAGE) -> str:
    """The same, with a line in which the values under the pointer are read."""
    return drawn(draw, space) + tag("div", " ", class_="reading", aria_live="polite")


def grid(head: Sequence[str], rows: Iterable[tuple[Sequence[Any], bool]]) -> str:
    """A table of figures; a row with True is ours. Columns of words stand to the left, numbers to the right."""
    rows = [(list(cells), ours) for cells, ours in rows]
    for i in range(len(head)):
        column = [(cells, cells[i]) for cells, _ in rows if isinstance(cells[i], float)]
        for (cells, _), label in zip(column, even_labels([value for _, value in column]), strict=True):
            cells[i] = _Number(label)
    kinds = ["word" if all(type(cells[i]) is str for cells, _ in rows) else None for i in range(len(head))]
    names = tag("tr", *(tag("th", text(cell), class_=kind) for cell, kind in zip(head, kinds, strict=True)))
    body = (
        tag(
            "tr",
            *(tag("td", text(shown(cell)), class_=kind) for cell, kind in zip(cells, kinds, strict=True)),
            class_="ours" if ours else None,
        )
        for cells, ours in rows
    )
    return _scrolled(tag("table", tag("thead", names), tag("tbody", *body)))


class _Number(str):
    """A number that is written already."""


def listing(table: Mapping[str, Any]) -> str:
    """Names and values, nested tables with dotted names."""
    rows = (tag("tr", tag("th", text(name)), tag("td", text(shown(value)))) for name, value in flat(table))
    return _scrolled(tag("table", tag("tbody", *rows), class_="pairs"))


def cards(figures: Mapping[str, Any]) -> str:
    """Few numbers, large."""
    parts = (tag("div", tag("b", text(shown(v))), tag("span", text(k)), class_="card") for k, v in figures.items())
    return tag("div", *parts, class_="cards")


def command(words: str) -> str:
    """A line that is typed, to be copied."""
    return tag("pre", tag("code", text(words)), class_="command", tabindex=0)


def _scrolled(table: str) -> str:
    """A table that may be wider than the page; a keyboard reaches what is outside."""
    return tag("div", table, class_="scroll", tabindex=0, role="group", aria_label="table")


def flat(table: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
    """The entries of nested tables under dotted names."""
    entries: list[tuple[str, Any]] = []
    for key, value in table.items():
        name = f"{before}{key}"
        entries += flat(value, f"{name}.") if isinstance(value, Mapping) else [(name, value)]
    return entries


def shown(value: Any) -> str:
    """A value in words."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number_label(value)
    if isinstance(value, list | tuple):
        return ", ".join(shown(v) for v in value) or "–"
    return str(value)
