"""Find the machine's Chromium, start it, and watch what it complains about.

It is Debian's, or any other that is installed: none is downloaded. Playwright's loop runs in the thread that starts it,
so that a browser is kept for a test module and not for the session, where it would be in the way of other loops.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

REQUIRED: Final = "WIREWATCH_BROWSER_REQUIRED"  # where it is set, a test that would be skipped has failed
NOT_HERE: Final = (
    "There is no Chromium: on Debian and Ubuntu `apt-get install chromium fonts-noto-core fonts-noto-cjk` installs it"
    " and these tests run"
)
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_MACOS: Final = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
_FLAGS: Final = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)
PHONE: Final = (360, 780)
DESK: Final = (1200, 860)


def find() -> str | None:
    """Return Chromium's program, or None where there is none."""
    found = next((place for name in _NAMES if (place := shutil.which(name))), None)
    if found is None and sys.platform == "darwin" and os.access(_MACOS, os.X_OK):
        return _MACOS
    return found


@contextmanager
def started(program: str) -> Iterator[Browser]:
    """Give a browser, headless, that asks nobody anything by itself."""
    flags = [*_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        yield browser
        browser.close()


def window(
    browser: Browser, size: tuple[int, int] = DESK, *, dark: bool = False, scripts: bool = True, zone: str = "UTC"
) -> BrowserContext:
    """Return a window of a size in pixels; `zone` is where its reader lives."""
    return browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        java_script_enabled=scripts,
        timezone_id=zone,
        locale="en-GB",
        reduced_motion="reduce",
    )


def complaints(page: Page) -> list[str]:
    """Return a list into which go all errors of the page from now on: of scripts, of loading, of its own policy."""
    found: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            found.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("requestfailed", lambda request: found.append(f"{request.url}: {request.failure}"))
    return found
