"""Equations become MathML while the pages are built, so that they need no script and no network to be read."""

import html
import re

from latex2mathml.converter import convert

EQUATION = re.compile(r'<(div|span) class="arithmatex">\\([\[(])(.*?)\\[\])]</\1>', re.DOTALL)
FENCE = re.compile(r"^\s*(```|~~~)")


def apart(markdown: str) -> str:
    r"""The page with an empty line before and after each `$$ ... $$`: only so is each a block of its own.

    ```python
    >>> apart("$$a$$\n$$b$$")
    '$$a$$\n\n$$b$$'

    ```
    """
    made: list[str] = []
    fenced, inside, ended = False, False, False
    for line in markdown.split("\n"):
        if FENCE.match(line):
            fenced = not fenced
        begins = not fenced and not inside and line.lstrip().startswith("$$")
        if (begins and made and made[-1].strip()) or (ended and line.strip()):
            made.append("")
        made.append(line)
        ended = False
        if not fenced and (begins or inside):
            inside = (inside + line.count("$$")) % 2 == 1
            ended = not inside
    return "\n".join(made)


def to_mathml(page: str) -> str:
    """The page with each equation as MathML."""

    def mathml(match: re.Match[str]) -> str:
        tag, opening, latex = match.groups()
        display = "block" if opening == "[" else "inline"
        return f'<{tag} class="equation">{convert(html.unescape(latex), display=display)}</{tag}>'

    return EQUATION.sub(mathml, page)
