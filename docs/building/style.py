"""Colours of the figures on the pages: those of the library, light or dark as the switch of the site stands."""

from ostinato.view.svg import DARK, FIGURE_STYLE, LIGHT, variables


def style_sheet() -> str:
    """The style sheet of the figures."""
    return (
        f".picture{{{variables(LIGHT)}}}\n"
        f'[data-md-color-scheme="slate"] .picture{{{variables(DARK)}}}\n'
        f"{FIGURE_STYLE}.figure{{display:block;max-width:100%;height:auto}}\n"
    )
