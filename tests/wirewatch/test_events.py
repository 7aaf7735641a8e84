"""Events: what each says and when, that they fit and stay the same bytes, and that nothing is cut in silence."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.wirewatch.newsroom import (
    ARTICLE,
    assert_valid,
    assert_valid_by_standard,
    at,
    claim,
    common,
    diff,
    example,
    hunk,
    revision,
    selector,
    verdict,
    wording,
)
from wirewatch import events
from wirewatch.diff import compare
from wirewatch.events.data import EVENTS, schema_name
from wirewatch.events.fit import EVENT_LIMIT
from wirewatch.model import WORDING_FIELDS, Diff, Hunk, Reason, Selector, Verdict, Wording
from wirewatch.records import FIELD_PATHS

FIRST = revision("14:26:07", last_observed=at("15:20:02"), published=claim("14:21", kind="published"))
SECOND = revision(
    "15:31:44", wording(body="The crew rowed home."), version=2, version_created=at("15:24"), modified=claim("15:24")
)
URI = f"tag:wirewatch.example,2026:article/{ARTICLE}"


def revised(changed: Diff | None = None, judged: Verdict | None = None, **changes: Any) -> dict[str, Any]:
    return events.revised(
        previous=changes.pop("previous", FIRST),
        current=changes.pop("current", SECOND),
        diff=changed or diff(),
        verdict=judged or verdict(),
        **common(**changes),
    )


def size(event: dict[str, Any]) -> int:
    return len(events.serialise(event).encode())


ONE_OF_EACH = {
    "article-published": events.published(current=FIRST, **common()),
    "article-revised": revised(),
    "article-restamped": events.restamped(
        current=FIRST, observed=at("16:10"), old_stamp=claim("14:21"), new_stamp=claim("16:05"), **common()
    ),
    "article-withdrawn": events.withdrawn(last=FIRST, observed=at("16:10"), reason="HTTP 410", **common()),
    "article-returned": events.returned(current=FIRST, observed=at("17:00"), not_before=at("16:10"), **common()),
    "article-merged": events.merged(
        article=ARTICLE, survivor="0" * 16, observed=at("16:10"), evidence="canonical", **common()
    ),
    "diff-retracted": events.retracted(article=ARTICLE, retracts="f" * 32, **common()),
}


def test_there_is_one_event_for_each_type() -> None:
    assert set(ONE_OF_EACH) == {schema_name(event.model_fields["type"].default) for event in EVENTS}


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_event_is_valid_by_our_schemas(name: str) -> None:
    event = ONE_OF_EACH[name]
    assert event["dataschema"] == f"https://wirewatch.example/schemas/{name}/1-0.json"
    assert_valid(event, "event")
    assert_valid(event["data"], name)


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_event_is_valid_by_cloudevents(name: str) -> None:
    assert_valid_by_standard(ONE_OF_EACH[name], "cloudevents.schema.json")


def test_event_has_the_shape_of_the_published_example() -> None:
    expected = example("event.json")
    old, new = expected["data"]["previous"], expected["data"]["current"]
    known: dict[str, Any] = {"url": expected["data"]["article"]["url"]}
    previous = revision("14:26:07", **known, id=old["id"], content_hash=old["contentHash"].removeprefix("sha256:"))
    current = revision(
        "15:31:44",
        **known,
        id=new["id"],
        version=2,
        version_created=at("15:24"),
        content_hash=new["contentHash"].removeprefix("sha256:"),
    )
    fields = {"headlines/main": "headline", "bodies/main": "body"}
    hunks = [
        Hunk(field=fields[h["field"]], op=h["op"], old=Selector(**h["old"]), new=Selector(**h["new"]))
        for h in expected["data"]["hunks"]
    ]
    significance = expected["data"]["significance"]
    reasons = [Reason(**(reason | {"field": fields[reason["field"]]})) for reason in significance["reasons"]]
    made = revised(
        diff(*hunks, words_added=13, words_removed=9, similarity=0.78704),
        verdict(
            *reasons,
            disclosure="disclosed",
            significance_class=significance["class"],
            score=significance["score"],
        ),
        previous=previous,
        current=current,
        event_id=expected["id"],
        headline=expected["data"]["article"]["headline"],
    )
    assert made == expected


def test_first_sight_with_an_updated_stamp_says_that_an_earlier_wording_was_not_seen() -> None:
    late = revision(earlier_wording_unseen=True, modified=claim("15:24"), version_created=at("15:24"))
    data = events.published(current=late, **common())["data"]
    assert data["article"]["firstCreated"] == "2026-03-16T14:21:00Z"
    assert data["current"]["versionCreated"] == "2026-03-16T15:24:00Z"
    assert data["current"]["earlierWordingUnseen"] is True
    assert "earlierWordingUnseen" not in ONE_OF_EACH["article-published"]["data"]["current"]


def test_change_lies_between_the_last_sight_of_the_old_and_the_first_of_the_new() -> None:
    assert revised()["data"]["observedWindow"] == {
        "notBefore": "2026-03-16T15:20:02Z",
        "notAfter": "2026-03-16T15:31:44Z",
    }


def test_wording_seen_again_later_bounds_no_window() -> None:
    again = revision(last_observed=at("18:00"))
    data = events.withdrawn(last=again, observed=at("16:10"), reason="HTTP 410", **common())["data"]
    assert data["observedWindow"] == {"notAfter": "2026-03-16T16:10:00Z"}


def test_publishers_claims_say_where_they_were_read_and_whose_zone_it_is() -> None:
    assert revised()["data"]["current"]["claims"] == [
        {"kind": "modified", "at": "2026-03-16T15:24:00Z", "where": "text", "zone": "configured"}
    ]
    unread = claim("15:24", at=None, raw="+99:99", flags=("unreadable",))
    data = events.restamped(current=FIRST, observed=at("16:10"), new_stamp=unread, **common())["data"]
    assert data["newStamp"] == {
        "kind": "modified",
        "where": "text",
        "zone": "configured",
        "flags": ["unreadable"],
    }


def test_restamp_gives_both_stamps_and_is_disclosed_by_the_stamp_only() -> None:
    data = ONE_OF_EACH["article-restamped"]["data"]
    assert data["disclosure"] == "stamp_only"
    assert data["oldStamp"]["at"] == "2026-03-16T14:21:00Z"
    assert data["newStamp"]["at"] == "2026-03-16T16:05:00Z"


def test_merge_is_told_to_those_who_know_the_name_that_ends() -> None:
    event = ONE_OF_EACH["article-merged"]
    assert event["subject"] == event["partitionkey"] == event["data"]["article"]["uri"] == URI
    assert event["data"]["survivor"] == "tag:wirewatch.example,2026:article/0000000000000000"


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_event_is_about_one_article_and_partitioned_by_it(name: str) -> None:
    event = ONE_OF_EACH[name]
    assert event["subject"] == event["partitionkey"] == event["data"]["article"]["uri"] == URI
    assert event["dataref"].endswith(event["id"])


def test_backfill_is_said_only_where_it_is() -> None:
    assert revised(backfill=True)["data"]["backfill"] is True
    assert "backfill" not in revised(backfill=False)["data"]


def test_changed_fields_are_the_records_properties_each_once() -> None:
    changed = [hunk(field=name) for name in ("body", "headline", "caption", "credit", "correction")]
    assert revised(diff(*changed))["data"]["changedFields"] == ["headlines", "bodies", "associations"]


@pytest.mark.parametrize("kind", ["update", "correction"])
def test_signal_is_the_iptc_code(kind: str) -> None:
    assert revised(None, verdict(signal=kind))["data"]["signal"] == f"http://cv.iptc.org/newscodes/signal/{kind}"


def test_class_and_score_are_the_verdicts_own() -> None:
    significance = revised(None, verdict(significance_class="major", score=0.8649))["data"]["significance"]
    assert significance == {"class": "major", "score": 0.86, "reasons": []}


def test_numbers_are_written_to_three_places() -> None:
    assert revised()["data"]["stats"]["similarity"] == 0.877


def test_fitting_event_is_whole_and_says_nothing_of_cuts() -> None:
    data = revised(diff(*[hunk(old="o" * 500, new="n" * 500)] * 5))["data"]
    assert "truncated" not in data
    assert [len(given["new"]["exact"]) for given in data["hunks"]] == [500] * 5


def test_long_texts_are_cut_before_any_hunk_is_left_out() -> None:
    long = hunk(old="keeper", new="n" * 50_000)
    data = revised(diff(hunk(), long), verdict(Reason(kind="length", field="body", hunk=1, new="n" * 50_000)))["data"]
    assert data["truncated"] is True
    assert "truncated" not in data["hunks"][0]
    assert data["hunks"][1]["truncated"] is True
    assert data["hunks"][1]["new"]["exact"] == "n" * 119 + "…"
    assert data["hunks"][1]["new"]["end"] - data["hunks"][1]["new"]["start"] == 50_000
    assert data["significance"]["reasons"][0]["truncated"] is True
    assert "hunks" not in data["stats"]


def test_many_hunks_are_cut_at_the_end_and_counted() -> None:
    reasons = [Reason(kind="number", field="body", hunk=n, old=str(n), new=str(n + 1)) for n in range(900)]
    event = revised(diff(*[hunk(new=f"word{n}") for n in range(1000)]), verdict(*reasons))
    data = event["data"]
    given_hunks, given_reasons = data["hunks"], data["significance"]["reasons"]
    assert EVENT_LIMIT - 500 < size(event) <= EVENT_LIMIT
    assert data["truncated"] is True
    assert data["stats"]["hunks"] == 1000
    assert data["stats"]["reasons"] == 900
    assert len(given_hunks) > 50
    assert len(given_reasons) > 50
    assert [one["new"]["exact"] for one in given_hunks] == [f"word{n}" for n in range(len(given_hunks))]
    assert [one["hunk"] for one in given_reasons] == list(range(len(given_reasons)))


def test_long_headline_is_cut_and_that_is_said() -> None:
    data = revised(headline="H" * 10_000)["data"]
    assert data["article"]["headline"] == "H" * 299 + "…"
    assert data["truncated"] is True


def test_worst_names_and_stamps_leave_room_for_hunks() -> None:
    flags = ("future", "before_published", "unreadable", "relative", "no_time")
    worst: dict[str, Any] = {
        "published": claim("14:21", kind="published", flags=flags),
        "modified": claim("14:21", flags=flags),
        "earlier_wording_unseen": True,
        "url": "https://courier.example/" + "é" * 600,
    }
    event = revised(
        diff(*[hunk(old="\x01" * 5000, new="\x02" * 5000)] * 500),
        previous=revision(**worst),
        current=revision(**worst),
        headline="\x01" * 10_000,
        publisher="\x01" * 10_000,
        language="x" * 10_000,
        backfill=True,
    )
    assert size(event) <= EVENT_LIMIT
    assert event["data"]["hunks"]


_WORDS = st.none() | st.lists(st.sampled_from(["lamp", "9", "10", "not", "  ", "rowed. ", "\n\n", "é"])).map(" ".join)


@settings(deadline=None)
@given(
    old=st.builds(Wording, **dict.fromkeys(WORDING_FIELDS, _WORDS)),
    new=st.builds(Wording, **dict.fromkeys(WORDING_FIELDS, _WORDS)),
)
def test_recipe_in_the_documentation_rebuilds_the_new_record_from_the_old_one(old: Wording, new: Wording) -> None:
    page = (Path(__file__).parents[2] / "docs" / "records.md").read_text()
    recipe: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0], recipe)
    data = revised(compare(old, new))["data"]
    assume("truncated" not in data)
    for name, path in FIELD_PATHS.items():
        changes = [one for one in data["hunks"] if one["field"] == path]
        assert recipe["rebuild"](getattr(old, name) or "", changes) == (getattr(new, name) or "")


@st.composite
def hunks(draw: st.DrawFn) -> Hunk:
    old, new = draw(st.text(max_size=400)), draw(st.text(min_size=1, max_size=400))
    times = draw(st.sampled_from([1, 1, 50]))
    field = draw(st.sampled_from(WORDING_FIELDS))
    context = draw(st.text(max_size=80))
    sides = selector(old * times, prefix=context), selector(new * times, suffix=context)
    return Hunk(field=field, op="replace" if old else "insert", old=sides[0], new=sides[1])


@settings(deadline=None, max_examples=60)
@given(
    changed=st.lists(hunks(), min_size=1, max_size=8),
    times=st.sampled_from([1, 1, 40]),
    words=st.text(max_size=300),
    headline=st.none() | st.text(max_size=400),
    publisher=st.none() | st.text(max_size=200),
)
def test_any_diff_makes_a_valid_event_under_the_limit_that_says_what_it_cut(
    changed: list[Hunk], times: int, words: str, headline: str | None, publisher: str | None
) -> None:
    full = diff(*changed * times)
    reasons = tuple(Reason(kind="number", field="body", hunk=n, old=words, new=None) for n in range(len(full.hunks)))
    event = revised(full, verdict(*reasons), headline=headline, publisher=publisher)
    assert_valid(event, "event")
    assert size(event) <= EVENT_LIMIT
    data = event["data"]
    texts = [(one["old"]["exact"], one["new"]["exact"]) for one in data["hunks"]]
    whole = (
        texts == [(one.old.exact, one.new.exact) for one in full.hunks]
        and len(data["significance"]["reasons"]) == len(reasons)
        and all(one["old"] == words for one in data["significance"]["reasons"])
        and data["article"].get("headline") == (headline or None)
        and data["article"].get("publisher") == (publisher or None)
    )
    assert whole or data["truncated"] is True
    positions = [(one["new"]["start"], one["new"]["end"]) for one in data["hunks"]]
    assert positions == [(one.new.start, one.new.end) for one in full.hunks][: len(positions)]


@settings(deadline=None)
@given(words=st.text(), backfill=st.booleans())
def test_same_event_is_always_the_same_line(words: str, backfill: bool) -> None:
    line = events.serialise(revised(diff(hunk(new=words)), headline=words, backfill=backfill))
    again = events.serialise(json.loads(line))
    assert line == again
    assert "\n" not in line


def test_times_that_carry_no_zone_are_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        revised(recorded=at("15:31:45").replace(tzinfo=None))


def test_microseconds_are_kept() -> None:
    current = revision("15:31:44", first_observed=at("15:31:44") + timedelta(microseconds=250))
    assert revised(current=current)["data"]["current"]["observedAt"] == "2026-03-16T15:31:44.000250Z"
