"""A timeline shows both clocks, keeps its marks apart, and can be read aloud."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise
from xml.etree.ElementTree import Element, fromstring

import pytest

from tests.wirewatch.viewer.invented import HOSTILE, START, story
from wirewatch.viewer.drawing import Dot, Outage, Stamp, bars, meter, printed_clock, shares, timeline
from wirewatch.viewer.rendering import timeline as timeline_of


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def ferry() -> Element:
    """Return the timeline of a story that says 14:21 and 15:24, and was seen at 14:26 and 15:31."""
    stamps = [
        Stamp(at=START, kind="published", raw="Published: JUNE 4, 2023 14:21"),
        Stamp(at=START + minutes(63), kind="updated", raw="Updated: JUNE 4, 2023 15:24"),
    ]
    dots = [
        Dot(at=START + minutes(5), version=1),
        Dot(at=START + minutes(70), version=2, since=START + minutes(40), says="Changed 9 to 8."),
    ]
    return fromstring(timeline(stamps, dots, (), last_seen=START + minutes(90)))


def marks(drawing: Element, kind: str) -> list[float]:
    """Return where a drawing's marks of a class lie, in pixels at its least width."""
    width = float(drawing.attrib["width"])
    found = [one for one in drawing.iter("g") if kind in one.attrib.get("class", "").split()]
    stems = [next(line for line in one.iter("line")) for one in found]
    return [float(stem.attrib["x1"].rstrip("%")) * width / 100 for stem in stems]


def words(drawing: Element) -> list[str]:
    return [text.text or "" for text in drawing.iter("text")]


def test_both_clocks_are_visible_as_such() -> None:
    drawing = ferry()
    heights = {text.text: float(text.attrib["y"]) for text in drawing.iter("text")}
    assert heights["Published 14:21"] < heights["Revision 1, 14:26"]
    assert heights["Updated 15:24"] < heights["Revision 2, 15:31"]
    titles = [title.text or "" for title in drawing.iter("title")]
    assert any("Updated: JUNE 4, 2023 15:24" in title for title in titles)
    assert "Revision 2 came between 4 June 2023, 15:01 UTC and 4 June 2023, 15:31 UTC" in titles


def test_a_timeline_is_told_in_words_and_has_no_inline_style() -> None:
    drawing = ferry()
    assert drawing.attrib["role"] == "img"
    description = drawing.find("desc")
    assert description is not None
    assert "Updated 4 June 2023, 15:24 UTC by the publisher’s clock." in (description.text or "")
    assert not any("style" in element.attrib for element in drawing.iter())


@pytest.mark.parametrize("revisions", [2, 20, 60])
def test_no_two_revisions_fall_together(revisions: int) -> None:
    places = marks(fromstring(timeline_of(story(revisions))), "dot")
    assert len(places) == revisions
    assert all(later - earlier >= 10 for earlier, later in pairwise(places))


def test_labels_never_lie_over_each_other() -> None:
    drawing = fromstring(timeline_of(story(60)))
    width = float(drawing.attrib["width"])
    lanes: dict[float, list[tuple[float, float]]] = {}
    for text in drawing.iter("text"):
        wide = len(text.text or "") * 6.6
        middle = float(text.attrib["x"].rstrip("%")) * width / 100
        begin = {"start": middle, "middle": middle - wide / 2, "end": middle - wide}[text.attrib["text-anchor"]]
        lanes.setdefault(float(text.attrib["y"]), []).append((begin, begin + wide))
    for spans in lanes.values():
        spans.sort()
        assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))


def test_a_revision_seen_once_and_never_dated_has_a_timeline() -> None:
    drawing = fromstring(timeline([], [Dot(at=START, version=1)], (), last_seen=START))
    assert "Revision 1, 14:21" in words(drawing)


def test_an_absence_lasts_until_the_last_look() -> None:
    outage = Outage(since=START + minutes(10), until=None, says="Gone")
    drawing = fromstring(timeline([], [Dot(at=START, version=1)], [outage], last_seen=START + minutes(60)))
    (shape,) = (one for one in drawing.iter("g") if one.attrib.get("class") == "outage")
    assert "until now" in "".join(title.text or "" for title in shape.iter("title"))


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("Published: JUNE 4, 2023 14:21", "14:21"),
        ("2023-06-04T14:21:00+01:00", "14:21"),
        ("4 June, 2.21 p.m.", "2:21 p.m."),
        ("4 June 2023", ""),
        ("", ""),
    ],
    ids=["printed", "ISO", "twelve hours", "no time", "nothing"],
)
def test_the_publishers_clock_is_shown_as_it_was_printed(raw: str, shown: str) -> None:
    assert printed_clock(raw) == shown


def test_what_a_publisher_states_cannot_break_out_of_a_drawing() -> None:
    stamp = Stamp(at=START, kind="updated", raw=HOSTILE)
    drawing = timeline([stamp], [Dot(at=START, version=1, says=HOSTILE)], (), last_seen=START)
    assert "<script" not in drawing
    assert not re.search(r"<[^>]* onclick", drawing)
    fromstring(drawing)


def test_the_highest_bar_reaches_the_top_and_none_is_invisible() -> None:
    drawing = fromstring(bars([("a", 0), ("b", 1), ("c", 1000)], title="Changes", unit="changes"))
    heights = [float(bar.attrib["height"]) for bar in drawing.iter("rect") if bar.attrib["class"] == "bar"]
    assert heights == [0, 2, 42]


def test_shares_fill_the_whole_and_are_told() -> None:
    drawing = fromstring(shares([("a", "Told", 3), ("b", "Not told", 1), ("c", "Unknown", 0)], title="Shares"))
    assert [rect.attrib["width"] for rect in drawing.iter("rect")] == ["75.00%", "25.00%"]
    assert "Told: 3 of 4; Not told: 1 of 4; Unknown: 0 of 4" in (drawing.findtext("desc") or "")


def test_an_empty_meter_is_no_division_by_nothing() -> None:
    assert 'width="0.0%"' in meter(0, 0, 0)
