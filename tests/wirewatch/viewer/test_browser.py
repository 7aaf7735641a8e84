"""The pages in a real Chromium: for every reader, on every screen, with and without JavaScript."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Final

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tests.browser.chromium import DESK, NOT_HERE, PHONE, REQUIRED, complaints, find, started, window
from tests.wirewatch.kept import INSTANCE
from tests.wirewatch.viewer import asking
from tests.wirewatch.viewer.invented import HOSTILE, VISIT, pages
from wirewatch.bounded import Pool
from wirewatch.clock import FixedClock
from wirewatch.redline import visible
from wirewatch.store import Store
from wirewatch.viewer import safety
from wirewatch.viewer.answers import Viewer
from wirewatch.viewer.app import application
from wirewatch.viewer.rendering import render
from wirewatch.viewer.safety import HEADERS
from wirewatch.viewer.shelf import Shelf

PAGES: Final = pages()
REDLINE: Final = "redline-ferry"
# Of WCAG 2.2, up to AA, what a program can find out; and that nobody is lost on a page without landmarks.
# Where a link leads, without the place on the page; and what is no page: data, to be taken along.
_LEADS: Final = "links => links.map(link => link.getAttribute('href').split('#')[0])"
_OTHER: Final = re.compile(r"\.(json|txt|atom)\b|/events/|/timemap|/record|/timegate|[?&](after|days=(7|90|365)|from)")
RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def drawn(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in PAGES:
        return PlainTextResponse(f"{request.url.path} as text")
    path = {"changes": "/", "feeds": "/feeds"}.get(name, f"/{name}")
    visit = VISIT.model_copy(update={"path": path, "query": request.url.query})
    return HTMLResponse(render(*PAGES[name], visit), headers=HEADERS)


@contextmanager
def served(app: Starlette) -> Iterator[str]:
    """Serve an application beside the test, and give its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", ws="none", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.01)
        assert thread.is_alive(), "the server did not start"
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Serve the invented pages, with the headers of the viewer's own answers."""
    routes = [
        Mount("/static", StaticFiles(packages=[("wirewatch.viewer", "static")])),
        Route("/{name:path}", drawn),
    ]
    with served(Starlette(routes=routes)) as place:
        yield place


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give one browser to all tests of this module."""
    program = find()
    if program is None and REQUIRED in os.environ:
        pytest.fail(NOT_HERE)
    if program is None:
        pytest.skip(NOT_HERE)
    with started(program) as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Give a page at a desk by day, that was found to complain of nothing when the test is over."""
    with window(browser) as context:
        opened = context.new_page()
        found = complaints(opened)
        yield opened
        assert found == []


def barriers(page: Page) -> list[str]:
    """Return what keeps a reader out, as axe sees it."""
    answer = Axe().run(page, options={"resultTypes": ["violations"], "runOnly": {"type": "tag", "values": RULES}})
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in answer.response["violations"]
        for node in one["nodes"]
    ]


def sideways(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))


# Every reader


@pytest.mark.parametrize("dark", [False, True], ids=["light at a desk", "dark on a telephone"])
@pytest.mark.parametrize("name", [name for name in PAGES if name != "article-sixty"])  # axe takes 25 s over it
def test_a_page_can_be_read_by_everybody(browser: Browser, address: str, name: str, dark: bool) -> None:
    with window(browser, PHONE if dark else DESK, dark=dark) as context:
        page = context.new_page()
        found = complaints(page)
        page.goto(f"{address}/{name}")
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        assert barriers(page) == []
        assert sideways(page) == 0
        assert found == []


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_a_redline_side_by_side_can_be_read_by_everybody(browser: Browser, address: str, size: tuple[int, int]) -> None:
    with window(browser, size) as context:
        page = context.new_page()
        page.goto(f"{address}/{REDLINE}?view=side")
        assert barriers(page) == []
        assert sideways(page) == 0


def test_the_help_can_be_read_by_everybody(page: Page, address: str) -> None:
    page.goto(f"{address}/{REDLINE}")
    page.keyboard.press("?")
    assert page.locator("dialog").is_visible()
    assert barriers(page) == []


# The keyboard


def test_all_is_reached_by_tab_and_seen_when_it_is(page: Page, address: str) -> None:
    page.goto(f"{address}/{REDLINE}")
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the content"
    page.keyboard.press("Enter")
    assert focused(page) == "main"
    wanted = page.evaluate(
        "[...document.querySelectorAll('main :is(a[href], button, summary, [tabindex=\"0\"])')]"
        ".filter(one => one.checkVisibility()).length"
    )
    reached = 0
    while page.evaluate("document.activeElement.closest('main') !== null") and reached <= wanted:
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('main') === null"):
            break
        reached += 1
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert reached == wanted


def test_keys_go_from_change_to_change_and_round(page: Page, address: str) -> None:
    page.goto(f"{address}/{REDLINE}")
    walked = []
    for key in ("n", "j", "n", "n", "n", "p", "k"):
        page.keyboard.press(key)
        walked.append(focused(page))
    assert walked == ["c1", "c2", "c3", "c4", "c1", "c4", "c3"]


def test_a_key_chooses_the_view_and_another_unfolds(page: Page, address: str) -> None:
    page.goto(f"{address}/{REDLINE}")
    page.keyboard.press("u")
    assert page.locator(".fold[open]").count() == 1
    page.keyboard.press("v")
    page.wait_for_url("**view=side")
    assert page.locator(".pair").count() > 0


def test_keys_can_be_turned_off_and_stay_off(page: Page, address: str) -> None:
    page.goto(f"{address}/{REDLINE}")
    page.keyboard.press("?")
    page.get_by_label("Single keys do this").uncheck()
    page.get_by_role("button", name="Close").click()
    page.reload()
    page.keyboard.press("n")
    assert focused(page) != "c1"
    page.get_by_role("button", name="Keys").click()
    assert not page.get_by_label("Single keys do this").is_checked()


def test_a_key_types_where_one_is_typing(page: Page, address: str) -> None:
    page.goto(f"{address}/changes")
    page.keyboard.press("/")
    page.keyboard.type("npj?")
    assert page.get_by_label("Search the texts").input_value() == "npj?"


# Without JavaScript


def test_without_scripts_changes_are_reached_by_links_and_filters_by_a_form(browser: Browser, address: str) -> None:
    with window(browser, scripts=False) as context:
        page = context.new_page()
        found = complaints(page)
        page.goto(f"{address}/{REDLINE}")
        page.get_by_role("link", name="Change 1", exact=True).click()
        page.locator("#c1 .gutter a").click()
        assert page.url.endswith("#c2")
        assert not page.get_by_role("button", name="Copy").is_visible()
        assert page.get_by_role("link", name="CloudEvent").is_visible()
        page.goto(f"{address}/changes")
        page.get_by_label("Search the texts").fill("recount ferry")
        page.get_by_label("Significance").select_option("major")
        page.get_by_role("button", name="Show").click()
        assert "q=recount+ferry" in page.url
        assert "class=major" in page.url
        assert found == []


# Times


def test_times_are_told_in_the_readers_zone_with_utc_beside_them(browser: Browser, address: str) -> None:
    with window(browser, zone="Asia/Tokyo") as context:
        page = context.new_page()
        page.goto(f"{address}/article")
        told = page.locator("#revision-" + PAGES["article"][1].revisions[0].id).locator("time").first  # type: ignore[attr-defined]
        assert told.inner_text() == "23:26"
        assert told.get_attribute("title") == "4 June 2023, 14:26:00 UTC"
        drawing = page.locator(".timeline").text_content() or ""
        assert "Revision 2, 00:31" in drawing
        assert "Updated 15:24" in drawing  # the publisher's clock stays as it was printed
        assert "your time (Asia/Tokyo)" in drawing


# What is hard to show


@pytest.mark.parametrize(("name", "direction"), [("redline-arabic", "rtl"), ("redline-japanese", "ltr")])
def test_text_runs_in_its_own_direction(page: Page, address: str, name: str, direction: str) -> None:
    page.goto(f"{address}/{name}")
    for selector in ("h1", ".para"):
        element = page.locator(selector).first
        assert element.evaluate("one => getComputedStyle(one.closest('[dir]')).direction") == direction


@pytest.mark.parametrize("name", [name for name in PAGES if "hostile" in name or name in ("changes", "error")])
def test_hostile_text_is_text(page: Page, address: str, name: str) -> None:
    page.on("dialog", lambda dialog: pytest.fail(f"{name} ran {dialog.message}"))
    page.goto(f"{address}/{name}")
    assert visible(HOSTILE) in (page.locator("main").text_content() or "")


def test_sixty_revisions_scroll_inside_their_drawing(browser: Browser, address: str) -> None:
    with window(browser, PHONE) as context:
        page = context.new_page()
        page.goto(f"{address}/article-sixty")
        room = page.locator("figure .scroll")
        assert room.evaluate("one => one.scrollWidth > 3 * one.clientWidth")
        assert sideways(page) == 0
        places = page.eval_on_selector_all(
            ".timeline .dot circle", "dots => dots.map(dot => dot.getBoundingClientRect().x)"
        )
        assert len(places) == 60
        assert all(later - earlier >= 10 for earlier, later in pairwise(places))


# Taking it along


def test_a_redline_is_copied_as_text(browser: Browser, address: str) -> None:
    with window(browser) as context:
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
        page = context.new_page()
        page.goto(f"{address}/{REDLINE}")
        page.get_by_role("button", name="Copy Plain text").click()
        page.get_by_text("Plain text copied").wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == "/x.txt as text"


def test_a_redline_on_paper_has_its_text_and_address_and_no_tools(page: Page, address: str) -> None:
    page.goto(f"{address}/{REDLINE}")
    page.emulate_media(media="print")
    assert not page.locator(".masthead nav").is_visible()
    assert not page.get_by_role("button", name="Print").is_visible()
    assert page.get_by_text("Printed from").is_visible()
    assert page.locator("del").first.evaluate("one => getComputedStyle(one).textDecorationLine") == "line-through"
    assert page.locator("ins").first.evaluate("one => getComputedStyle(one).textDecorationLine") == "underline"


# The viewer itself


@pytest.fixture
def viewer(sqlite_store: Store, pool: Pool) -> Iterator[str]:
    """Serve a viewer over an invented newsroom, and give its address."""
    asking.fill(sqlite_store, pool)
    shelf = Shelf(sqlite_store.url, INSTANCE, pool, limit_seconds=30)
    guard = safety.guard("127.0.0.1", None, None)
    with served(application(Viewer(shelf=shelf, guard=guard, clock=FixedClock(asking.NOW)))) as place:
        yield place
    shelf.close()


def test_every_link_of_a_viewer_leads_to_a_page_without_a_complaint(browser: Browser, viewer: str) -> None:
    with window(browser, PHONE) as context:
        page = context.new_page()
        found = complaints(page)
        waiting, known = ["/"], {"/"}
        while waiting:
            path = waiting.pop()
            answer = page.goto(f"{viewer}{path}")
            assert answer is not None
            assert (answer.status, path) == (200, path)
            assert sideways(page) == 0, path
            links = page.eval_on_selector_all("a[href^='/']:not([download])", _LEADS)
            new = [link for link in links if link not in known and not _OTHER.search(link)]
            waiting += new
            known.update(new)
        assert found == []
        assert {"/feeds", "/alerts", "/dead-letters", "/publishers"} <= known
        assert sum("/diff/" in one for one in known) > 5
        assert len(known) < 80


def test_a_redline_is_taken_along_as_text_as_data_and_as_its_event(browser: Browser, viewer: str) -> None:
    with window(browser) as context:
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=viewer)
        page = context.new_page()
        page.goto(viewer)
        page.get_by_role("link", name="Late buses could return", exact=True).click()
        taken = {}
        for what in ("Plain text", "JSON", "CloudEvent"):
            page.get_by_role("button", name=f"Copy {what}", exact=True).click()
            page.get_by_text(f"{what} copied").wait_for()
            taken[what] = page.evaluate("navigator.clipboard.readText()")
        assert "Late buses [-will-]{+could+} return" in taken["Plain text"]
        assert json.loads(taken["JSON"])["new_wording"]["headline"] == "Late buses could return"
        event = json.loads(taken["CloudEvent"])
        assert (event["type"], event["data"]["disclosure"]) == ("wirewatch.article.revised.v1", "undisclosed")
