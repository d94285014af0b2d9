"""The built site in a browser without a window: width, equations, code, console, links.

    make docs && pip install playwright && python scripts/check_site.py site [--only index start/]

Each page is opened at 1280 and 390 pixels, light and dark; `--quick` takes one of them for the pages of classes. What
is found is printed, a line each, and the exit code is 1 where there is anything. Chromium is looked for on PATH.
"""

import argparse
import functools
import http.server
import shutil
import sys
import threading
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

LOOK = """() => {
    const wide = document.documentElement.scrollWidth - window.innerWidth;
    const cut = [...document.querySelectorAll('pre > code')].filter(e => e.scrollWidth > e.clientWidth + 1).length;
    const raw = [...document.querySelectorAll('article')].some(e => {
        const copy = e.cloneNode(true);
        copy.querySelectorAll('pre, code, math').forEach(n => n.remove());
        return /\\$\\$|\\\\\\(|\\\\\\[|\\\\frac|insert:/.test(copy.textContent);
    });
    return {wide, cut, raw};
}"""


class Links(HTMLParser):
    """Where a page leads, and which places it has."""

    def __init__(self, page: str):
        super().__init__()
        self.leads: list[str] = []
        self.places: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.places |= {value for name in ("id", "name") if (value := given.get(name))}
        self.leads += [value for name in ("href", "src") if (value := given.get(name))]


def broken_links(site: Path) -> list[str]:
    """Links to pages, files and places that are not there."""
    pages = {path: Links(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    found = []
    for path, links in pages.items():
        if path.name == "404.html":
            continue
        here = path.relative_to(site).as_posix()
        for lead in links.leads:
            if urlsplit(lead).scheme:
                if urlsplit(lead).scheme not in ("http", "https", "mailto", "data"):
                    found.append(f"{here}: {lead}")
                continue
            there, place = urldefrag(urljoin(f"/{here}", lead))
            target = site / unquote(there).lstrip("/")
            target = target / "index.html" if target.is_dir() else target
            if not target.exists():
                found.append(f"{here}: {lead}")
            elif place and target in pages and unquote(place) not in pages[target].places and place != "__top":
                found.append(f"{here}: {lead}, no such place")
    return found


def browsed(site: Path, only: list[str], quick: bool, shots: Path | None) -> list[str]:
    """What a browser shows of each page."""
    from playwright.sync_api import sync_playwright

    handler = functools.partial(Quiet, directory=str(site))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    home = f"http://127.0.0.1:{server.server_port}/"
    pages = sorted(path.parent.relative_to(site).as_posix() for path in site.rglob("index.html"))
    pages = [page for page in pages if not only or any(page.startswith(part) for part in only)]
    found: list[str] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for width in (1280, 390):
            for scheme in ("light", "dark"):
                window = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
                tab = window.new_page()
                said: list[str] = []
                listen(tab, said)
                for page in pages:
                    if quick and of_a_class(page) and (width, scheme) != (390, "light"):
                        continue
                    said.clear()
                    tab.goto(home if page == "." else f"{home}{page}/", wait_until="load")
                    look = tab.evaluate(LOOK)
                    where = f"{page} at {width} px, {scheme}"
                    found += [f"{where}: {line}" for line in said]
                    found += [f"{where}: {look['wide']} px too wide"] * (look["wide"] > 0)
                    found += [f"{where}: {look['cut']} blocks of code are cut"] * (look["cut"] > 0)
                    found += [f"{where}: an equation or an insert that is not made"] * look["raw"]
                    if shots is not None:
                        shots.mkdir(parents=True, exist_ok=True)
                        name = page.replace("/", "-").replace(".", "home")
                        tab.screenshot(path=shots / f"{name}-{width}-{scheme}.png", full_page=True)
                window.close()
        browser.close()
    server.shutdown()
    return found


def listen(tab: Any, said: list[str]) -> None:
    """Keep what a page complains of."""
    tab.on("console", lambda message: message.type == "error" and said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    # What a page was still loading when the next one was opened has not failed.
    failed = lambda request: "ABORTED" not in (request.failure or "") and said.append(f"failed: {request.url}")
    tab.on("requestfailed", failed)


def of_a_class(page: str) -> bool:
    """Whether a page is that of one class."""
    return page.startswith("reference/") and page.count("/") == 2


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves without a word."""

    def log_message(self, *args: object) -> None:
        del args


def main() -> int:
    """Look at everything, print what is wrong."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("site", type=Path)
    asked.add_argument("--only", nargs="*", default=[], help="pages that begin so")
    asked.add_argument("--quick", action="store_true", help="pages of classes once")
    asked.add_argument("--shots", type=Path, help="folder for pictures of the pages")
    given = asked.parse_args()
    found = [f"broken link: {line}" for line in broken_links(given.site)]
    found += browsed(given.site, given.only, given.quick, given.shots)
    print("\n".join(found) or "nothing found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
