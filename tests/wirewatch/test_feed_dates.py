"""What the dates in feeds mean, and how surely."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.feeds import http_date, read_claim
from wirewatch.model import Claim, Source

OBSERVED = datetime(2026, 3, 16, 15, 26, 7, tzinfo=UTC)


def claim(raw: str, **source: Any) -> Claim:
    return read_claim(raw, kind="published", source=Source(**source), observed=OBSERVED)


@pytest.mark.parametrize(
    "raw",
    [
        "Mon, 16 Mar 2026 14:21:00 GMT",
        "Mon, 16 Mar 2026 14:21:00 +0000",
        "Mon, 16 Mar 2026 14:21:00 -0000",
        "Mon, 16 Mar 2026 15:21:00 +0100 (CET)",
        "mon,16 mar 2026 14:21 z",
        "16 Mar 26 14:21 UT",
        "Monday, 16-Mar-26 14:21:00 GMT",
        "16 March 2026, 14:21:00 UTC",
        "Mon, 16 Mar 2026 10:21:00 EDT",
        "Mon, 16 Mar 2026 06:21 PST",
        "Mon, 16 Mar 2026 15:21:00 GMT+0100",
        "Mon, 16 Mar 2026 16:21:00 UTC+02:00",
        "Mon Mar 16 14:21:00 UTC 2026",
        "March 16, 2026 10:21 am EDT",
        "Mon, March 16th, 2026 at 2:21 p.m. GMT",
        "16 Mar 2026 14:21 PM GMT",
        "2026-03-16T14:21:00Z",
        "2026-03-16T14:21Z",
        "2026-03-16T15:21:00.123456+01:00",
        "2026-03-16 14:21:00 +0000",
        "2026-03-16T09:21:00-05",
        "2026/03/16 14:21 GMT",
        "20260316T142100Z",
        "2026-03-16T14:21:00 UTC",
    ],
)
def test_time_with_a_zone_of_its_own_is_stated(raw: str) -> None:
    read = claim(raw, zone="Asia/Tokyo")
    assert (read.at, read.zone, read.flags) == (datetime(2026, 3, 16, 14, 21, tzinfo=UTC), "stated", ())
    assert read.raw == raw


@pytest.mark.parametrize(
    ("raw", "source", "hour", "zone"),
    [
        pytest.param("16 Jun 2025 14:21", {}, 14, "assumed", id="no zone at all"),
        pytest.param("2025-06-16T14:21:00", {}, 14, "assumed", id="ISO without a zone"),
        pytest.param("16 Jun 2025 14:21", {"zone": "Europe/London"}, 13, "configured", id="the source's zone"),
        pytest.param("16 Jun 2025 14:21 BST", {}, 14, "assumed", id="BST means nothing by itself"),
        pytest.param("16 Jun 2025 14:21 BST", {"zone": "Europe/London"}, 13, "configured", id="BST in London"),
        pytest.param("16 Jun 2025 14:21 GMT", {"zone": "Europe/London"}, 14, "stated", id="GMT in London"),
        pytest.param("16 Jun 2025 14:21 IST", {"zone": "Europe/London"}, 14, "assumed", id="IST in London"),
        pytest.param(
            "16 Jun 2025 14:21 IST", {"zone_names": (("ist", "Asia/Kolkata"),)}, 8, "configured", id="IST by name"
        ),
        pytest.param("16 Jun 2025 14:21 CST", {}, 20, "stated", id="CST of RFC 822"),
        pytest.param(
            "16 Jun 2025 14:21 CST", {"zone_names": (("CST", "Asia/Shanghai"),)}, 6, "configured", id="CST by name"
        ),
        pytest.param("16 Jun 2025 14:21 A", {}, 14, "assumed", id="military letter"),
        pytest.param("16 Jun 2025 14:21BST", {"zone": "Europe/London"}, 13, "configured", id="no space"),
        pytest.param("16 Jun 2025 14:21", {"zone": "Nowhere/At all"}, 14, "assumed", id="no such zone"),
        pytest.param("16 Jun 2025 14:21", {"zone": "../etc/passwd"}, 14, "assumed", id="not even a name"),
    ],
)
def test_zone_is_never_guessed_in_silence(raw: str, source: dict[str, Any], hour: int, zone: str) -> None:
    read = claim(raw, **source)
    assert read.at is not None
    assert (read.at.hour, read.zone) == (hour, zone)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "yesterday",
        "16 Mar 2026 14:21 +99:99",
        "2026-03-16T14:21:00+14:30",
        "2026-03-16T14:21:00+01:60",
        "31 Feb 2026 14:21 GMT",
        "2026-02-29T10:00:00Z",
        "2026-13-01",
        "16 Mar 2026 25:00 GMT",
        "16 Mar 2026 14:61 GMT",
        "16 Foo 2026 14:21 GMT",
        "03/04/2026 14:21",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T24:00:00Z",
        "٢٠٢٦-٠٣-١٦",
        "1" * 10_000,
        "16 Mar 2026 14:21 GMT and then some",
    ],
)
def test_impossible_date_keeps_its_words_and_has_no_time(raw: str) -> None:
    read = claim(raw)
    assert (read.at, read.flags, read.raw) == (None, ("unreadable",), raw[:200])


@pytest.mark.parametrize(
    ("raw", "at", "flags"),
    [
        pytest.param("2026-03-16", "2026-03-16T00:00:00+00:00", ("no_time",), id="a day"),
        pytest.param("2026-03", "2026-03-01T00:00:00+00:00", ("no_time",), id="a month"),
        pytest.param("2026", "2026-01-01T00:00:00+00:00", ("no_time",), id="a year"),
        pytest.param("16 Mar 2026", "2026-03-16T00:00:00+00:00", ("no_time",), id="a day in words"),
        pytest.param("2026-03-16T15:27:00Z", "2026-03-16T15:27:00+00:00", ("future",), id="after it was seen"),
        pytest.param("2026-12-24", "2026-12-24T00:00:00+00:00", ("future", "no_time"), id="a day to come"),
        pytest.param("2025-12-31T24:00:00Z", "2026-01-01T00:00:00+00:00", (), id="24:00"),
        pytest.param("2016-12-31T23:59:60Z", "2016-12-31T23:59:59+00:00", (), id="leap second"),
        pytest.param("16 Mar 49 10:00 GMT", "2049-03-16T10:00:00+00:00", ("future",), id="49 is 2049"),
        pytest.param("16 Mar 50 10:00 GMT", "1950-03-16T10:00:00+00:00", (), id="50 is 1950"),
        pytest.param("16 Mar 126 10:00 GMT", "2026-03-16T10:00:00+00:00", (), id="126 is 2026"),
        pytest.param("16 Mar 2026 12:05 am GMT", "2026-03-16T00:05:00+00:00", (), id="12 am is midnight"),
        pytest.param("16 Mar 2026 12:05 pm GMT", "2026-03-16T12:05:00+00:00", (), id="12 pm is noon"),
    ],
)
def test_odd_dates_are_read_with_a_flag_where_one_is_due(raw: str, at: str, flags: tuple[str, ...]) -> None:
    read = claim(raw)
    assert (str(read.at).replace(" ", "T"), read.flags) == (at, flags)


moments = st.integers(-631_152_000, 2_524_500_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
offsets = st.integers(-12 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))


@given(at=moments, zone=offsets)
def test_whatever_is_written_properly_is_read_back(at: datetime, zone: timezone) -> None:
    local = at.astimezone(zone)
    two_digits = local.strftime("%d %b %y %H:%M:%S %z") if 1950 <= local.year < 2050 else local.isoformat()
    for written in (format_datetime(local), local.isoformat(), local.isoformat(" "), two_digits):
        read = claim(written)
        assert (read.at, read.zone) == (at, "stated")


@given(raw=st.text() | st.from_regex(r"\A[0-9]{1,4}[-/ ]?[a-zA-Z0-9:,.+ -]{0,40}\Z"), zone=st.text(max_size=20))
def test_no_text_makes_it_raise(raw: str, zone: str) -> None:
    read = claim(raw, zone=zone, zone_names=(("BST", zone),))
    assert (read.at is None) == ("unreadable" in read.flags)
    assert read.at is None or read.at.tzinfo is UTC


@pytest.mark.parametrize(
    ("raw", "at"),
    [
        ("Mon, 16 Mar 2026 14:21:00 GMT", datetime(2026, 3, 16, 14, 21, tzinfo=UTC)),
        ("Monday, 16-Mar-26 14:21:00 GMT", datetime(2026, 3, 16, 14, 21, tzinfo=UTC)),
        ("Mon Mar 16 14:21:00 2026", datetime(2026, 3, 16, 14, 21, tzinfo=UTC)),
        ("0", None),
        ("2026", None),
        ("-1", None),
    ],
)
def test_header_date_is_a_time_or_nothing(raw: str, at: datetime | None) -> None:
    assert http_date(raw) == at
