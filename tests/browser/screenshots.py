"""Take the pictures of `docs/images`: every page over the demo's store, by day and night, at a desk and on a telephone.

`make screenshots` runs it. The demo is run anew in a folder of its own, and the viewer is shown the newsroom's time, so
that the same code takes the same pictures.
"""

from __future__ import annotations

import base64
import json
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page
from rich.console import Console

from pipelines.config import load
from pipelines.demo import demo
from pipelines.serving import serving
from tests.browser.chromium import NOT_HERE, PHONE, find, started, window
from wirewatch.clock import FixedClock
from wirewatch.demo.stories import at
from wirewatch.demo.truth import FERRY

IMAGES: Final = Path(__file__).resolve().parents[2] / "docs" / "images"
_NOW: Final = at("17:05")
_DESK: Final = (1040, 800)
_HIGHEST: Final = 1_150  # pixels of a page that are shown
_QUALITY: Final = 35  # of WebP: letters stay sharp, and all pictures together stay under 1.5 MB


def main() -> int:
    """Take all pictures; return the exit code."""
    program = find()
    if program is None:
        sys.stderr.write(f"{NOT_HERE}.\n")
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    for old in IMAGES.glob("*.webp"):
        old.unlink()
    with tempfile.TemporaryDirectory(prefix="wirewatch-") as home:
        folder = Path(home) / "demo"
        if demo(folder, Console(quiet=True)):
            sys.stderr.write("The demo did not find what the newsroom did: no pictures were taken.\n")
            return 1
        config = load(folder / "wirewatch.yaml", {})
        config = replace(config, viewer=config.viewer.model_copy(update={"port": 0}))
        with serving(config, FixedClock(_NOW)) as address, started(program) as browser:
            for screen, size in (("desk", _DESK), ("phone", PHONE)):
                for light in ("light", "dark"):
                    with window(browser, size, dark=light == "dark", zone="UTC") as context:
                        page = context.new_page()
                        for name, path in _pages(address):
                            page.goto(f"{address}{path}")
                            (IMAGES / f"{name}-{screen}-{light}.webp").write_bytes(_picture(page))
    total = sum(image.stat().st_size for image in IMAGES.glob("*.webp"))
    sys.stdout.write(f"{len(list(IMAGES.glob('*.webp')))} pictures in {IMAGES}, {total / 1000:.0f} kB in all\n")
    return 0


def _pages(address: str) -> Iterator[tuple[str, str]]:
    """Yield each page's name and path."""
    ferry = _asked(f"{address}/find?url={FERRY}")
    change = ferry["changes"][-1]
    alerts = _asked(f"{address}/alerts.json")
    yield "changes", "/"
    yield "article", ferry["article"]["href"]
    yield "redline", change["href"]
    yield "redline-side", f"{change['href']}?view=side"
    yield "revision", change["new"]["href"]
    yield "feeds", "/feeds"
    yield "alerts", "/alerts"
    yield "alert", alerts["alerts"][0]["href"]
    yield "dead-letters", "/dead-letters"
    yield "publishers", "/publishers"
    yield "publisher", _asked(f"{address}/publishers.json")["publishers"][0]["href"]


def _asked(url: str) -> Any:
    request = urllib.request.Request(url, headers={"Accept": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def _picture(page: Page) -> bytes:
    """Return the page as WebP, its whole width and as much of its height as is shown."""
    wide, high = page.evaluate("[innerWidth, document.documentElement.scrollHeight]")
    clip = {"x": 0, "y": 0, "width": wide, "height": min(high, _HIGHEST), "scale": 1}
    session = page.context.new_cdp_session(page)
    wanted = {"format": "webp", "quality": _QUALITY, "captureBeyondViewport": True, "clip": clip}
    taken = session.send("Page.captureScreenshot", wanted)
    return base64.b64decode(taken["data"])


if __name__ == "__main__":
    sys.exit(main())
