"""What pages say, as HTML and as JSON, on both databases: lists and filters, articles, redlines, revisions, feeds."""

from __future__ import annotations

from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import sqlalchemy as sa
from lxml import etree
from starlette.testclient import TestClient

from tests.builders import at
from tests.wirewatch.viewer import asking
from tests.wirewatch.viewer.asking import BUSES, CRABS, FEED, FERRY, HEADLINES, ROOF, headlines, json_of, key, story
from wirewatch.bounded import Pool
from wirewatch.diff import apply
from wirewatch.encoding import revive
from wirewatch.model import Diff, Wording
from wirewatch.store import Store, alerts, dead_letters
from wirewatch.store.tables import changes

ROOF_, FERRY_2, BUSES_, FERRY_1, CRABS_ = HEADLINES
FILTERS = {
    "none": ("", HEADLINES),
    "publisher": ("publisher=post.example", (CRABS_,)),
    "feed": (f"feed={FEED}", HEADLINES[:4]),
    "language": ("language=de", (CRABS_,)),
    "field": ("field=headline", (BUSES_, FERRY_1)),
    "field and publisher": ("field=correction&publisher=courier.example", (ROOF_,)),
    "class": ("class=minor", ()),
    "disclosure": ("disclosure=undisclosed", (FERRY_2, BUSES_, CRABS_)),
    "disclosure and feed": (f"disclosure=undisclosed&feed={FEED}", (FERRY_2, BUSES_)),
    "signal": ("signal=correction", (ROOF_,)),
    "from": (f"from={at(120):%Y-%m-%dT%H:%M:%SZ}", (ROOF_, FERRY_2)),
    "to": (f"to={at(60):%Y-%m-%dT%H:%M:%SZ}", (CRABS_,)),
    "a day as to is included": ("from=2026-03-16&to=2026-03-16", HEADLINES),
    "nothing on that day": ("from=2026-03-17", ()),
    "with another zone": ("from=2026-03-16T15:00:00%2B01:00", (ROOF_, FERRY_2)),
    "words": ("q=ferry", (FERRY_2, FERRY_1)),
    "all words": ("q=vote cheered", (FERRY_2,)),
    "a phrase": ('q="return late"', ()),
    "a phrase in its order": ('q="late buses"', (BUSES_,)),
    "without": ("q=ferry -cheered", (FERRY_1,)),
    "the beginning of a word": ("q=librar*", (ROOF_,)),
    "accents and case do not matter": ("q=CAFE MÖWE", (CRABS_,)),
    "a number": ("q=1,480", (CRABS_,)),
    "what was taken out is found": ("q=310,000", (ROOF_,)),
    "search and filters": ("q=council&disclosure=undisclosed&field=body&language=en-GB", (FERRY_2,)),
    "a word that nobody wrote": ("q=zeppelin", ()),
}


@pytest.mark.parametrize("case", FILTERS)
def test_each_filter_narrows_the_list_to_what_it_says(read_newsroom: TestClient, case: str) -> None:
    query, expected = FILTERS[case]
    found = headlines(json_of(read_newsroom, f"/?{query}"))
    assert [one[: len(begins)] for one, begins in zip(found, expected, strict=True)] == list(expected)


def test_a_list_read_by_its_cursor_has_each_change_once_also_when_newer_ones_come_in(
    newsroom: TestClient, store: Store, pool: Pool
) -> None:
    page = json_of(newsroom, "/?limit=2")
    met = headlines(page)
    asking.fill(store, pool, (story(200, BUSES, "Late buses return", "The road is open.", stamp=190),))
    while page["older"]:
        page = json_of(newsroom, f"{page['older']}&limit=2")
        met += headlines(page)
    assert [one[: len(begins)] for one, begins in zip(met, HEADLINES, strict=True)] == list(HEADLINES)
    assert headlines(json_of(newsroom, "/"))[0] == "Late buses return"


def test_a_change_says_what_when_how_much_and_whether_openly(read_newsroom: TestClient) -> None:
    told = json_of(read_newsroom, "/?field=headline")["changes"][1]
    assert told["sentence"].startswith('added "after recount" to the headline')
    assert (told["not_before"], told["not_after"]) == ("2026-03-16T12:00:00Z", "2026-03-16T13:00:00Z")
    assert told["after_seconds"] == 2 * 3600
    assert told["verdict"]["disclosure"] == "disclosed"
    assert told["verdict"]["reasons"]
    assert told["fields"] == ["headline", "body"]
    assert told["article"]["publisher"] == "Ellery Courier"
    assert told["old_headline"] == "Council approves ferry subsidy"
    assert json_of(read_newsroom, told["href"])["id"] == told["id"]


def test_filters_offer_what_there_is_and_stand_in_the_address(read_newsroom: TestClient) -> None:
    choices = json_of(read_newsroom, "/?disclosure=undisclosed")["choices"]
    assert [one["label"] for one in choices["publishers"]] == [
        "Ellery Courier · courier.example",
        "Harbour Post · post.example",
    ]
    assert [one["value"] for one in choices["languages"]] == ["de", "en-GB"]
    assert headlines(json_of(read_newsroom, choices["publishers"][1]["href"])) == ["Fang der Krabben steigt"]
    chosen = next(one for one in choices["disclosures"] if one["chosen"])
    assert len(headlines(json_of(read_newsroom, chosen["href"]))) == 5


PAGES = {
    "changes": ("/", "Council approves ferry subsidy after recount"),
    "article": (f"/articles/{key(FERRY)}", "Council approves ferry subsidy after recount"),
    "feeds": ("/feeds", ""),
    "alerts": ("/alerts", ""),
    "dead letters": ("/dead-letters", ""),
    "publishers": ("/publishers", "courier.example"),
    "publisher": ("/publishers/courier.example", "courier.example"),
}


@pytest.mark.parametrize("name", PAGES)
def test_each_page_is_html_for_readers_and_json_for_programs(read_newsroom: TestClient, name: str) -> None:
    address, says = PAGES[name]
    html = read_newsroom.get(address, headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert (html.status_code, html.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert says in html.text
    by_accept = read_newsroom.get(address, headers={"accept": "application/json"})
    by_name = read_newsroom.get("/changes.json" if address == "/" else f"{address}.json")
    assert by_accept.headers["content-type"] == by_name.headers["content-type"] == "application/json"
    assert by_accept.json() == by_name.json()
    assert html.headers["vary"] == by_accept.headers["vary"] == "accept"


def test_article_has_its_history(read_newsroom: TestClient) -> None:
    page = json_of(read_newsroom, f"/articles/{key(FERRY)}")
    assert [one["version"] for one in page["revisions"]] == [1, 2, 3]
    assert [one["outcome"] for one in page["sights"]] == ["new", "revised", "revised"]
    assert [one["verdict"]["disclosure"] for one in page["changes"]] == ["disclosed", "undisclosed"]
    assert page["names"] == [{"kind": "asked", "name": FERRY}]
    assert page["availability"] == "available"
    assert [one["availability"] for one in page["standing"]] == ["available"]
    assert page["compare"].endswith(f"{page['revisions'][0]['id']}..{page['revisions'][2]['id']}")


def test_redline_of_neighbours_and_of_others_rebuilds_the_new_text(read_newsroom: TestClient) -> None:
    one, two, three = json_of(read_newsroom, f"/articles/{key(FERRY)}")["revisions"]
    for old, new in ((one, two), (two, three), (one, three), (three, one)):
        page = json_of(read_newsroom, f"/articles/{key(FERRY)}/diff/{old['id']}..{new['id']}")
        before, after = (revive(Wording, page[name]) for name in ("old_wording", "new_wording"))
        assert apply(revive(Diff, page["diff"]), before) == after
        assert (page["id"] is not None) == (new["version"] - old["version"] == 1)
    first, last = (
        json_of(read_newsroom, f"/articles/{key(FERRY)}/diff/{a['id']}..{b['id']}")
        for a, b in ((one, two), (two, three))
    )
    assert (first["previous"], first["next"], last["previous"], last["next"]) == (
        None,
        three["diff_href"],
        two["diff_href"],
        None,
    )


def test_redline_is_there_as_text_as_json_and_as_the_event(read_newsroom: TestClient) -> None:
    href = json_of(read_newsroom, "/?field=headline")["changes"][1]["href"]
    assert "{+after recount+}" in read_newsroom.get(f"{href}.txt").text.replace("{+ ", "{+")
    page = json_of(read_newsroom, href)
    event = read_newsroom.get(f"{page['event_href']}.json")
    assert event.headers["content-type"] == "application/cloudevents+json"
    assert event.json()["id"] == page["event"]
    assert read_newsroom.get(page["event_href"]).headers["location"] == href


def test_address_of_a_redline_holds_when_a_late_capture_moves_the_numbers(
    newsroom: TestClient, store: Store, pool: Pool
) -> None:
    href = json_of(newsroom, "/?field=headline&publisher=courier.example")["changes"][0]["href"]
    before = json_of(newsroom, href)
    asking.fill(store, pool, (story(-30, BUSES, "Buses may come back one day", "Nothing is decided.", stamp=-60),))
    after = json_of(newsroom, href)
    assert (before["old"]["version"], after["old"]["version"]) == (1, 2)
    assert before["diff"] == after["diff"]


def test_revision_has_its_text_record_page_and_time(read_newsroom: TestClient) -> None:
    ref = json_of(read_newsroom, f"/articles/{key(FERRY)}")["revisions"][1]
    page = json_of(read_newsroom, ref["href"])
    assert page["wording"]["body"].startswith("The vote was 8 to 5. The harbour")
    assert page["record"]["version"] == "2"
    assert {one["kind"] for one in page["claims"]} == {"published", "modified"}
    assert (page["older"]["version"], page["newer"]["version"]) == (1, 3)
    html = read_newsroom.get(ref["href"])
    assert html.headers["memento-datetime"] == "Mon, 16 Mar 2026 13:00:00 GMT"
    assert 'rel="timemap"' in html.headers["link"]
    assert read_newsroom.get(f"/revisions/{ref['id']}").headers["location"] == ref["href"]
    assert read_newsroom.get(page["record_href"]).json() == page["record"]


def test_kept_page_is_given_as_a_download_and_never_shown(read_newsroom: TestClient) -> None:
    ref = json_of(read_newsroom, f"/articles/{key(FERRY)}")["revisions"][1]
    page = json_of(read_newsroom, ref["href"])["page"]
    kept = read_newsroom.get(page["href"])
    assert kept.content.startswith(b"<p>")
    assert len(kept.content) == page["size"]
    assert kept.headers["content-disposition"].startswith("attachment;")
    assert kept.headers["content-type"] == "application/octet-stream"
    assert kept.headers["content-security-policy"].startswith("sandbox;")


def test_timemap_names_all_revisions_and_the_time_gate_leads_to_the_one_of_a_time(read_newsroom: TestClient) -> None:
    revisions = json_of(read_newsroom, f"/articles/{key(FERRY)}")["revisions"]
    told = read_newsroom.get(f"/articles/{key(FERRY)}/timemap")
    assert told.headers["content-type"].startswith("application/link-format")
    assert f'<{FERRY}>; rel="original"' in told.text
    assert told.text.count('memento"; datetime=') == 3
    assert 'rel="first memento"; datetime="Mon, 16 Mar 2026 12:00:00 GMT"' in told.text
    gate = f"/articles/{key(FERRY)}/timegate"
    wanted = {
        "Mon, 16 Mar 2026 13:30:00 GMT": 1,
        "Mon, 16 Mar 2020 13:30:00 GMT": 0,
        "Mon, 16 Mar 2030 13:30:00 GMT": 2,
    }
    for header, place in wanted.items():
        assert parsedate_to_datetime(header)
        answer = read_newsroom.get(gate, headers={"accept-datetime": header})
        assert (answer.status_code, answer.headers["location"]) == (302, revisions[place]["href"])
        assert answer.headers["vary"] == "accept-datetime"
    assert read_newsroom.get(gate, headers={"accept-datetime": "yesterday"}).status_code == 400


def test_article_is_found_by_its_own_address(read_newsroom: TestClient) -> None:
    assert read_newsroom.get("/find", params={"url": FERRY}).headers["location"] == f"/articles/{key(FERRY)}"
    assert read_newsroom.get("/find", params={"url": f"{FERRY}/other"}).status_code == 404


def test_article_that_was_joined_with_another_leads_there(newsroom: TestClient, store: Store, pool: Pool) -> None:
    same = story(200, BUSES, "Late buses could return", "The road is closed on Mondays.", stamp=-60)
    asking.fill(store, pool, (_known_as(same, ROOF),))
    moved = [url for url in (BUSES, ROOF) if newsroom.get(f"/articles/{key(url)}").status_code == 301]
    (other,) = {BUSES, ROOF} - set(moved)
    assert newsroom.get(f"/articles/{key(moved[0])}").headers["location"] == f"/articles/{key(other)}"
    assert newsroom.get(f"/articles/{key(moved[0])}.json").headers["location"] == f"/articles/{key(other)}.json"
    with store.reading() as conn:
        assert not conn.scalars(sa.select(changes.c.diff).where(changes.c.article == key(moved[0]))).all()


def _known_as(one: Any, other: str) -> Any:
    from dataclasses import replace  # noqa: PLC0415

    from wirewatch.model import Alias  # noqa: PLC0415

    return replace(one, aliases=(*one.aliases, Alias(kind="canonical", name=other)))


def test_events_since_a_cursor_come_once_and_in_order(newsroom: TestClient, store: Store, pool: Pool) -> None:
    met, cursor = [], ""
    while True:
        page = json_of(newsroom, f"/api/changes?limit=4{f'&since={cursor}' if cursor else ''}")
        met += [one["id"] for one in page["events"]]
        cursor = page["next"]
        if not page["more"]:
            break
    assert len(met) == len(set(met)) == 9
    assert json_of(newsroom, f"/api/changes?since={cursor}")["events"] == []
    asking.fill(store, pool, (story(200, BUSES, "Late buses return", "The road is open.", stamp=190),))
    (new,) = json_of(newsroom, f"/api/changes?since={cursor}")["events"]
    assert new["type"] == "wirewatch.article.revised.v1"


def test_list_is_a_feed_too_with_the_events_own_ids(read_newsroom: TestClient) -> None:
    listed = json_of(read_newsroom, "/?disclosure=undisclosed")
    atom = read_newsroom.get(listed["atom"])
    assert atom.headers["content-type"].startswith("application/atom+xml")
    root = etree.fromstring(atom.content)
    names = {"a": "http://www.w3.org/2005/Atom"}
    ids = root.xpath("a:entry/a:id/text()", namespaces=names)
    assert ids == [f"tag:wirewatch.example,2026:event/{one['event']}" for one in listed["changes"]]
    assert len(set(ids)) == 3
    feed = read_newsroom.get(listed["json_feed"]).json()
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert [one["id"] for one in feed["items"]] == ids
    assert feed["items"][0]["url"] == f"{asking.BASE}{listed['changes'][0]['href']}"
    assert feed["feed_url"] == f"{asking.BASE}{listed['json_feed']}"


def test_publishers_are_counted(read_newsroom: TestClient) -> None:
    courier, post = json_of(read_newsroom, "/publishers?days=30")["publishers"]
    assert (courier["host"], courier["changes"], courier["changed_articles"]) == ("courier.example", 4, 3)
    assert (courier["disclosed"], courier["undisclosed"], courier["undisclosed_share"]) == (2, 2, 0.5)
    assert courier["corrections"] == 1
    assert courier["median_after_seconds"] == timedelta(minutes=150).total_seconds()
    assert post["median_after_seconds"] == timedelta(minutes=90).total_seconds()
    assert sum(day["changes"] for day in courier["days"]) == 4
    one = json_of(read_newsroom, "/publishers/courier.example")
    assert {bucket["label"]: bucket["count"] for bucket in one["delays"] if bucket["count"]} == {
        "within 3 hours": 3,
        "within 6 hours": 1,
    }
    assert {bucket["label"]: bucket["count"] for bucket in one["hours"] if bucket["count"]} == {"13": 2, "14": 2}
    assert {bucket["label"]: bucket["count"] for bucket in one["fields"] if bucket["count"]}["Correction note"] == 1


def test_dead_letter_is_listed_and_shown(newsroom: TestClient, store: Store) -> None:
    with store.begin() as conn:
        letter = dead_letters.add(conn, at=at(0), step="extract", reason="This is a PDF", url=CRABS)
    (listed,) = json_of(newsroom, "/dead-letters")["letters"]
    assert (listed["id"], listed["reason"], listed["replayable"]) == (letter, "This is a PDF", False)
    assert json_of(newsroom, listed["href"])["letter"] == listed


def test_alerts_are_listed_newest_first_and_one_by_one(newsroom: TestClient, store: Store) -> None:
    with store.begin() as conn:
        for n in range(40):
            one = alerts.Formed(
                id=f"{n:032x}", channel="desk", rule="all", kind="single", created=at(n // 2), body=b"{}"
            )
            alerts.put(conn, one)
    page = json_of(newsroom, "/alerts?state=waiting&channel=desk")
    met = [one["id"] for one in page["alerts"]]
    met += [one["id"] for one in json_of(newsroom, page["older"])["alerts"]]
    assert met == [f"{n:032x}" for n in reversed(range(40))]
    assert json_of(newsroom, page["alerts"][0]["href"])["alert"] == page["alerts"][0]
