"""Equations become MathML while the pages are built, so that they need no script and no network to be read."""

import html
import re
from typing import Any

from latex2mathml.converter import convert

EQUATION = re.compile(r'<(div|span) class="arithmatex">\\([\[(])(.*?)\\[\])]</\1>', re.DOTALL)


def on_page_content(page_html: str, **kwargs: Any) -> str:
    """Called by MkDocs for every page."""
    del kwargs

    def mathml(match: re.Match[str]) -> str:
        tag, opening, latex = match.groups()
        display = "block" if opening == "[" else "inline"
        return f"<{tag}>{convert(html.unescape(latex), display=display)}</{tag}>"

    return EQUATION.sub(mathml, page_html)
