"""What MkDocs calls while it builds the pages; `building` holds what is done."""

import os
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

HERE = Path(__file__).resolve().parent
os.environ.setdefault("JAX_PLATFORMS", "cpu")
sys.path.insert(0, str(HERE))

from building import equations, examples, inserts, names, reference  # noqa: E402 - found by the path above
from building.style import style_sheet  # noqa: E402 - the same

CHANGES = HERE.parent / "CHANGELOG.md"


def on_config(config: Any) -> Any:
    """The classes of a room stand below its page."""
    for section in config.nav:
        for title, pages in section.items():
            if title == "Reference":
                section[title] = [_with_classes(page) for page in pages]
    return config


def _with_classes(page: Any) -> Any:
    if not isinstance(page, dict):
        return page
    ((title, path),) = page.items()
    own = [{name.name: name.page} for name in names.public(Path(path).parent.name) if name.own_page]
    return {title: [path, *own]} if own else page


def on_files(files: Files, config: Any) -> Files:
    """Pages that nobody writes: classes, changes, the colours of the figures."""
    for room in names.ROOMS:
        for name in names.public(room):
            if name.own_page:
                files.append(File.generated(config, name.page, content=reference.class_page(name)))
    text = CHANGES.read_text(encoding="utf-8")
    files.append(File.generated(config, "changes.md", content=text))
    files.append(File.generated(config, "assets/figures.css", content=style_sheet()))
    return files


def on_page_markdown(markdown: str, page: Any, **kwargs: Any) -> str:
    """Inserts, examples without prompts, links to the reference, equations as blocks."""
    del kwargs
    made = examples.without_prompts(inserts.filled(markdown))
    return equations.apart(names.linked(made, page.file.src_uri))


def on_page_content(html: str, **kwargs: Any) -> str:
    """Equations as MathML."""
    del kwargs
    return equations.to_mathml(html)
