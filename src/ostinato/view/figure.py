"""Figures to look at in a notebook, and to keep as a file: what `.plot()` gives."""

from pathlib import Path

from ostinato.errors import SettingsError
from ostinato.runs.evaluation import Section
from ostinato.runs.storage import write_file
from ostinato.view.page import page
from ostinato.view.sections import markup
from ostinato.view.svg import FIGURE_STYLE, colour_rules, standalone, tag

_INSIDE = (
    ".ostinato{background:var(--paper);color:var(--ink);padding:8px 12px;font:15px/1.45 system-ui,sans-serif}"
    ".ostinato .narrow,.ostinato .reading{display:none}.ostinato .multiples{display:grid;gap:0 16px;"
    "grid-template-columns:repeat(auto-fill,minmax(200px,1fr))}.ostinato .few{grid-template-columns:repeat("
    "auto-fill,minmax(330px,1fr))}.ostinato figure{margin:0}.ostinato .figure{max-width:100%;height:auto}"
    ".ostinato h2{font-size:1.05rem;margin:.6em 0 .3em}.ostinato h3{font-size:.9rem;margin:.5em 0 .2em}"
    ".ostinato .soft{color:var(--soft)}.ostinato table{border-collapse:collapse}.ostinato th,.ostinato td{"
    "padding:3px 12px 3px 0;text-align:right;color:var(--ink);background:none}.ostinato .word{text-align:left}"
    ".ostinato tr.ours td{font-weight:650}"
)


class Figure:
    """Sections of a report by themselves: shown by a notebook, written by `save` as a page or, one alone, as SVG.

    ```python
    >>> from ostinato.view import Curve, Lines, section
    >>> figure = Figure(section("Error", Lines((1.0, 2.0), (Curve("gru", "ours", (0.5, 0.25)),), "epoch")))
    >>> figure, "<svg" in figure._repr_html_()
    (Figure('Error'), True)

    ```
    """

    def __init__(self, *sections: Section):
        self.sections = sections

    def __repr__(self) -> str:
        return f"Figure({', '.join(repr(section.title) for section in self.sections)})"

    def _repr_html_(self) -> str:
        style = colour_rules(".ostinato") + _INSIDE + FIGURE_STYLE
        return tag("div", tag("style", style), *markup(self.sections, ""), class_="ostinato")

    def save(self, path: str | Path) -> Path:
        """Write an `.html` page, which needs no network, or where it is one figure an `.svg`; gives the path.

        Raises `SettingsError` for another ending, and for SVG of several figures; `StorageError`.
        """
        path = Path(path)
        if path.suffix == ".html":
            title = self.sections[0].title if self.sections else "Figure"
            content = page(title, markup(self.sections, ""))
        elif path.suffix == ".svg":
            drawn = markup(self.sections, "")
            if len(drawn) != 1 or self.sections[0].kind == "multiples" or "<svg" not in drawn[0]:
                raise SettingsError(f"{path}: SVG holds one figure, here are {len(drawn)} sections; write .html")
            content = standalone("<svg" + drawn[0].split("<svg", 1)[1].split("</svg>", 1)[0] + "</svg>")
        else:
            raise SettingsError(f"{path}: expected a name that ends in .html or .svg")
        write_file(path, content.encode())
        return path
