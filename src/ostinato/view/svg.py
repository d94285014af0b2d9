"""Markup as text, in which everything that comes from outside is escaped; and the colours of all figures."""

import html
from typing import Any

LIGHT = {
    "ink": "#1b1f24",
    "soft": "#57606a",
    "rule": "#d8dee4",
    "paper": "#ffffff",
    "ours": "#c2410c",
    "s0": "#0b6bcb",
    "s1": "#2e7d32",
    "s2": "#8e44ad",
    "s3": "#a66a00",
    "s4": "#00798c",
}
DARK = {
    "ink": "#e6edf3",
    "soft": "#9ba7b4",
    "rule": "#353d47",
    "paper": "#12161c",
    "ours": "#ff9457",
    "s0": "#6cb6ff",
    "s1": "#7ad48a",
    "s2": "#d2a8ff",
    "s3": "#e3b341",
    "s4": "#56d4dd",
}
SERIES = 5
"""Colours beside those of the truth and of ours."""

FIGURE_STYLE = """
.figure text{font:13px system-ui,-apple-system,"Segoe UI",sans-serif;fill:var(--soft)}
.figure .strong{fill:var(--ink)}
.figure .axis{stroke:var(--soft);stroke-width:1;fill:none}
.figure .grid{stroke:var(--rule);stroke-width:1;fill:none}
.figure .line{fill:none;stroke-width:1.5;stroke-linejoin:round;stroke-linecap:round}
.figure .mark{stroke:var(--soft);stroke-dasharray:2 3;fill:none}
.figure .cross{stroke:var(--soft);stroke-width:1}
.figure .truth{stroke:var(--ink);stroke-width:2}.figure .ours{stroke:var(--ours);stroke-width:2}
.figure .dash{stroke-dasharray:6 4}
.figure .band{fill:var(--ours);fill-opacity:.16;stroke:none}
.figure .dot{fill:var(--ours);fill-opacity:.45;stroke:none}
.figure .cells{stroke:var(--rule)}.figure .struck{stroke:var(--rule);fill:none}
""" + "".join(f".figure .s{i}{{stroke:var(--s{i})}}" for i in range(SERIES))


def tag(name: str, *content: str, **attributes: Any) -> str:
    """An element. Its content is markup, made by `tag` or `text`; its attributes are escaped here, None leaves one out.

    A trailing or inner underscore in a name stands for what Python does not allow: `class_`, `stroke_width`.

    ```python
    >>> tag("rect", class_='a"b', x=1.23456, data_name="<i>")
    '<rect class="a&quot;b" x="1.23" data-name="&lt;i&gt;"/>'
    >>> tag("p", text("1 < 2"))
    '<p>1 &lt; 2</p>'

    ```
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(_plain(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{given}>{''.join(content)}</{name}>" if content else f"<{name}{given}/>"


def text(value: Any) -> str:
    """Text as markup. Half of a character, which a damaged file may hold and no page can, becomes a question mark."""
    return html.escape(str(value).encode("utf-8", "replace").decode())


def variables(colours: dict[str, str]) -> str:
    """The colours as custom properties of CSS."""
    return "".join(f"--{name}:{value};" for name, value in colours.items())


def colour_rules(selector: str) -> str:
    """CSS that gives the selected element the light colours, or the dark ones where the reader prefers them."""
    dark = f"@media (prefers-color-scheme:dark){{{selector}{{{variables(DARK)}}}}}"
    return f"{selector}{{{variables(LIGHT)}}}{dark}"


def standalone(figure: str) -> str:
    """A figure as a file of its own: the same markup with its colours inside.

    ```python
    >>> standalone('<svg class="figure"></svg>').startswith('<svg class="figure" xmlns="http://www.w3.org/2000/svg"><style>')
    True

    ```
    """
    head, rest = figure.split(">", 1)
    style = tag("style", colour_rules(".figure") + ".figure{background:var(--paper)}" + FIGURE_STYLE)
    return f'{head} xmlns="http://www.w3.org/2000/svg">{style}{rest}'


def _plain(value: Any) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
