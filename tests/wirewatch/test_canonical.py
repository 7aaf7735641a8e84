"""What is levelled before texts are compared, what is not, and the ids and bytes that must never change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirewatch.canonical import (
    article_key,
    article_uri,
    canonical_json,
    comparable,
    content_hash,
    diff_id,
    event_id,
    revision_id,
    sha256,
    storable,
    text_hash,
    timestamp,
)
from wirewatch.model import Alias, Claim, Wording

SAME = {
    "composed and decomposed": ("Zoe\u0308 at the cafe\u0301", "Zoë at the café"),
    "runs of spaces": ("two  ferries", "two ferries"),
    "tabs and line breaks": ("two\t\r\n ferries", "two ferries"),
    "no-break space": ("10\u00a0km", "10 km"),
    "narrow no-break space": ("10\u202fkm", "10 km"),
    "thin space": ("10\u2009km", "10 km"),
    "ideographic space": ("港\u3000船", "港 船"),
    "spaces at both ends": (" two ferries\n", "two ferries"),
    "blank lines between paragraphs": ("One.\n\nTwo.", "One. Two."),
    "soft hyphen": ("har\u00adbour", "harbour"),
    "zero-width space": ("har\u200bbour", "harbour"),
    "word joiner": ("har\u2060bour", "harbour"),
    "byte order mark": ("\ufeffHarbour", "Harbour"),
    "direction marks": ("\u200eHarbour\u200f \u202awall\u202c \u2066pier\u2069", "Harbour wall pier"),
    "joiner beside Latin letters": ("har\u200dbour\u200c", "harbour"),
    "curly double quotes": ("“aground”", '"aground"'),
    "low double quotes": ("„aground‟", '"aground"'),
    "curly single quotes": ("‘aground’", "'aground'"),
    "low single quotes": ("‚aground‛", "'aground'"),
    "curly apostrophe": ("the harbour’s wall", "the harbour's wall"),
}

DIFFERENT = {
    "decimal point": ("1.5 million", "15 million"),
    "decimal comma": ("1,5", "1.5"),
    "minus sign": ("-5 degrees", "5 degrees"),
    "minus and hyphen": ("−5", "-5"),
    "en dash and hyphen": ("2–1", "2-1"),
    "em dash and en dash": ("wait — no", "wait – no"),
    "question mark": ("Did it?", "Did it."),
    "exclamation mark": ("Stop!", "Stop."),
    "full stop at the end": ("It sank.", "It sank"),
    "comma": ("Let's eat, children", "Let's eat children"),
    "not": ("It did not sink", "It did sink"),
    "n't": ("It can't sink", "It can sink"),
    "capital letter": ("Polish", "polish"),
    "accent": ("résumé", "resume"),
    "digit": ("12 dead", "13 dead"),
    "digit of another script": ("٣", "3"),
    "superscript": ("m²", "m2"),
    "ligature": ("ﬁre", "fire"),
    "full-width letter": ("Ａ", "A"),
    "look-alike letter": ("Кelling", "Kelling"),
    "dotless i": ("ısı", "isi"),
    "sharp s": ("Maße", "Masse"),
    "currency": ("£5m", "$5m"),
    "per cent and per mille": ("5%", "5‰"),
    "ellipsis": ("and…", "and..."),
    "guillemets": ("«aground»", '"aground"'),
    "double and single quotes": ('"aground"', "'aground'"),
    "quotes taken away": ('"aground"', "aground"),
    "prime": ("5′", "5'"),
    "brackets": ("(sic)", "sic"),
    "space taken away": ("now here", "nowhere"),
    "space between digits": ("1 000", "1000"),
    "hyphen taken away": ("re-sign", "resign"),
    "order of words": ("ferry hits pier", "pier hits ferry"),
    "word twice": ("very very late", "very late"),
    "joiner between Persian letters": ("می\u200cخواهم", "میخواهم"),
    "joiner inside an emoji": ("👩\u200d🚒", "👩🚒"),
    "skin tone": ("👍🏽", "👍"),
    "variation of an emoji": ("☎\ufe0f", "☎\ufe0e"),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_what_carries_no_meaning_is_levelled(one: str, other: str) -> None:
    assert comparable(one) == comparable(other)
    assert content_hash(Wording(body=one)) == content_hash(Wording(body=other))


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_what_is_levelled_is_still_told_apart_exactly(one: str, other: str) -> None:
    assert text_hash(Wording(body=one)) != text_hash(Wording(body=other))


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT)
def test_what_may_carry_meaning_is_never_levelled(one: str, other: str) -> None:
    assert comparable(one) != comparable(other)
    assert content_hash(Wording(body=one)) != content_hash(Wording(body=other))


VISIBLE = st.text(
    st.characters(
        exclude_categories=("Cs", "Cc", "Cf", "Zs", "Zl", "Zp", "Mn", "Mc", "Me", "Lm", "Lo", "Sk"),
        exclude_characters="‘’‚‛“”„‟",
        max_codepoint=0xFFFF,
    ).filter(lambda char: comparable(char) == char),
    min_size=1,
    max_size=20,
)


@given(VISIBLE)
def test_plain_text_is_its_own_comparable_form(text: str) -> None:
    assert comparable(text) == text


@given(st.text(max_size=60))
def test_levelling_twice_changes_nothing(text: str) -> None:
    assert comparable(comparable(text)) == comparable(text)


@given(st.text(max_size=40), st.text(" \t\n\u00a0\u2009\u3000", min_size=1, max_size=5))
def test_only_the_kind_and_number_of_spaces_is_levelled(text: str, spaces: str) -> None:
    words = comparable(text).split(" ")
    assert comparable(spaces.join(words)) == comparable(text)


@given(st.text(st.characters(codec=None), max_size=40))
def test_what_is_stored_can_be_stored(text: str) -> None:
    clean, changed = storable(text)
    assert "\0" not in clean
    assert clean.encode().decode() == clean
    assert len(clean) == len(text)
    assert changed == (clean != text)


def test_nul_and_lone_surrogates_are_marked() -> None:
    assert storable("a\0b\ud800") == ("a\ufffdb\ufffd", True)
    assert storable("a b") == ("a b", False)


def test_absent_and_empty_fields_are_the_same_for_a_wording() -> None:
    assert content_hash(Wording(headline="Ferry", body="")) == content_hash(Wording(headline="Ferry"))
    assert content_hash(Wording(headline="Ferry", caption=" \u200b")) == content_hash(Wording(headline="Ferry"))


def test_the_field_a_text_stands_in_counts() -> None:
    assert content_hash(Wording(headline="Ferry")) != content_hash(Wording(standfirst="Ferry"))
    assert content_hash(Wording(headline="A", body="B")) != content_hash(Wording(headline="A B"))


# Changing any of these orphans every ledger, link and feed entry that users have kept.
KEY = "2cbd2a1b0d3c4f5e"
PINNED = {
    "article": (article_key("https://courier.example/a?id=2"), "8ef9ae97983b768b"),
    "uri": (article_uri("wirewatch.example", "2026", KEY), f"tag:wirewatch.example,2026:article/{KEY}"),
    "content": (
        content_hash(Wording(headline="“Ferry”  aground", body="Zoe\u0308 saw it.")),
        "376eaf751faee32cc99e422d768503cd8064f1fdc3591cddc7fa50cfbde7da76",
    ),
    "no content": (content_hash(Wording()), "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"),
    "exact text": (
        text_hash(Wording(headline="“Ferry”  aground", body="Zoe\u0308 saw it.")),
        "5ec4d93bf945a3e9a25e4367d453e79d",
    ),
    "revision": (revision_id(KEY, "c" * 64, 1), "5c396946683d95f8af12baf437dc12ed"),
    "diff": (diff_id(KEY, "c" * 64, "d" * 64, 2), "e3a95ca2d52939e2235a908a37a71c58"),
    "event": (event_id("e" * 32, "revised", 0), "6f336599db140c95a7349f529f21c138"),
    "bytes": (sha256(b"ferry"), "e9087d0b20d80d3e12bc8530d883d7ad9c1eb3ebc5cb61824a2b460816503797"),
}


@pytest.mark.parametrize(("found", "pinned"), PINNED.values(), ids=PINNED)
def test_ids_stay_what_they_were(found: str, pinned: str) -> None:
    assert found == pinned


@given(st.sampled_from([revision_id, event_id]), st.integers(1, 50), st.integers(1, 50))
def test_each_occurrence_has_an_id_of_its_own(identify: object, one: int, other: int) -> None:
    assert callable(identify)
    assert (identify(KEY, "x", one) == identify(KEY, "x", other)) == (one == other)


def test_ids_of_different_things_differ() -> None:
    assert revision_id(KEY, "a", 1) != event_id(KEY, "a", 1)
    assert diff_id(KEY, "a", "b", 1) != diff_id(KEY, "b", "a", 1)


def test_canonical_json_has_one_form() -> None:
    zone = timezone(timedelta(hours=2))
    value = {
        "b": 1.00049,
        "a": datetime(2026, 3, 16, 16, 26, 7, tzinfo=zone),
        "é": (Alias(kind="asked", name="x"), None),
        "claim": Claim(kind="published", at=None, where="text", zone="assumed", raw="?"),
    }
    assert canonical_json(value).decode() == (
        '{"a":"2026-03-16T14:26:07.000000Z","b":1.0,'
        '"claim":{"at":null,"kind":"published","raw":"?","where":"text","zone":"assumed"},'
        '"é":[{"kind":"asked","name":"x"},null]}'
    )


@given(st.dictionaries(st.text(max_size=5), st.integers(-(2**53), 2**53) | st.text(max_size=5)))
def test_canonical_json_does_not_know_the_order_of_keys(value: dict[str, object]) -> None:
    assert canonical_json(dict(reversed(value.items()))) == canonical_json(value)
    keys = list(orjson.loads(canonical_json(value)))
    assert keys == sorted(keys)


@given(st.datetimes(), st.integers(-14 * 60, 14 * 60))
def test_a_timestamp_does_not_know_its_zone(at: datetime, minutes: int) -> None:
    in_utc = at.replace(tzinfo=UTC)
    try:
        elsewhere = in_utc.astimezone(timezone(timedelta(minutes=minutes)))
    except OverflowError:  # the first and last day of the calendar
        return
    assert timestamp(elsewhere) == timestamp(in_utc)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        timestamp(datetime(2026, 3, 16, 14, 26))  # noqa: DTZ001 (the very thing to refuse)
