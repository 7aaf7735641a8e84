"""Pages to look at without a store: the models that the viewer would fill, with invented articles of every kind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from wirewatch import wording
from wirewatch.canonical import sha256
from wirewatch.diff import compare
from wirewatch.model import Claim, Reason, Wording
from wirewatch.redline import plain
from wirewatch.viewer import models

START: Final = datetime(2023, 6, 4, 14, 21, tzinfo=UTC)
VISIT: Final = models.Visit(
    path="/", base="http://127.0.0.1:8080", now=START + timedelta(hours=5), version="0.1.0", token="t" * 32
)
HOSTILE: Final = "<script>alert('x')</script> \" onclick='y' &amp; {{ 7 * 7 }} \u202egnihton"

_TELLING: Final = (
    (
        "The money keeps the winter boats to the island running until the spring, and pays for four return crossings "
        "a day between November and March, one more than now."
    ),
    (
        "A single ticket stays at 3.20. The council had asked for a rise of a tenth, which the operator called the "
        "least it could live with; in the end nobody voted for it."
    ),
    "The crossing takes forty minutes in fair weather. In the past winter every ninth boat was cancelled.",
    "Ellery Ferries has run the crossing since 1974. Its contract ends in two years, and will be put to tender again.",
)
_RECOUNT: Final = (
    "It was Mr Ashgrove who asked for the recount, after a raised hand in the public gallery had been taken for a vote."
)
FERRY_OLD: Final = Wording(
    headline="Harbour council approves ferry subsidy",
    standfirst="The harbour council approved a 4.2 million ferry subsidy on Sunday.",
    byline="By Marta Quill",
    body="\n\n".join(
        ["The vote was 9 to 4. The operator did not immediately comment.", *_TELLING, "The session was brief."]
    ),
)
FERRY_NEW: Final = Wording(
    headline="Harbour council approves ferry subsidy after recount",
    standfirst="The harbour council approved a 4.7 million ferry subsidy on Sunday.",
    byline="By Marta Quill",
    body="\n\n".join(
        [
            "The vote was 8 to 5 after a recount. Ellery Ferries said it welcomed the decision.",
            *_TELLING,
            _RECOUNT,
            "The session was brief.",
        ]
    ),
)
_LONG: Final = (
    "Harbour council, after a night of three adjournments and one recount, approves by a single vote the "
    "subsidy for the winter ferry that nobody on the island had still believed in"
)
_ARABIC: Final = (
    Wording(headline="المجلس يوافق على دعم العبّارة", body="صوّت تسعة أعضاء لصالح القرار وأربعة ضده.\n\nلم تعلّق الشركة."),
    Wording(
        headline="المجلس يوافق على دعم العبّارة بعد إعادة الفرز",
        body="صوّت ثمانية أعضاء لصالح القرار وخمسة ضده بعد إعادة الفرز.\n\nلم تعلّق الشركة.",
    ),
)
_JAPANESE: Final = (
    Wording(
        headline="港湾議会、フェリー補助金を承認",
        body="採決は9対4だった。事業者はコメントしていない。\n\n冬の便は春まで続く。",
    ),
    Wording(
        headline="港湾議会、再集計の末フェリー補助金を承認",
        body="再集計の結果、採決は8対5だった。事業者は決定を歓迎すると述べた。\n\n冬の便は春まで続く。",
    ),
)


def claim(kind: Literal["published", "modified"], at: datetime, raw: str = "") -> Claim:
    """Return a time as a page prints it."""
    printed = raw or f"{'Published' if kind == 'published' else 'Updated'}: {at:%B %-d, %Y %H:%M}".upper()
    return Claim(kind=kind, at=at, where="text", zone="assumed", raw=printed)


def article(key: str = "70767ab1f0a91777", **changes: Any) -> models.ArticleRef:
    """Return an article's name."""
    return models.ArticleRef(
        **{
            "key": key,
            "uri": f"tag:wirewatch.example,2026:article/{key}",
            "url": "http://courier.example/local/ferry-subsidy",
            "headline": FERRY_NEW.headline,
            "publisher": "Ellery Courier",
            "host": "courier.example",
            "language": "en-GB",
            "feed": "http://courier.example/rss.xml",
            "href": f"/articles/{key}",
            **changes,
        }
    )


def row(version: int, first: datetime, last: datetime, text: Wording, **changes: Any) -> models.RevisionRow:
    """Return a revision with its facts; it was published at `START`."""
    name = sha256(f"{version}{text}".encode())[:32]
    modified = changes.pop("modified", None)
    return models.RevisionRow(
        **{
            "id": name,
            "version": version,
            "version_created": modified.at if modified else START,
            "first_observed": first,
            "last_observed": last,
            "href": f"/articles/70767ab1f0a91777/revisions/{name}",
            "headline": text.headline,
            "words": len((text.body or "").split()),
            "content_hash": sha256(name.encode()),
            "text_hash": sha256(name.encode()),
            "url": "http://courier.example/local/ferry-subsidy",
            "published": claim("published", START),
            "modified": modified,
            "stamp": modified,
            "extractor": "test/1",
            "page_hash": sha256(name.encode()),
            "page_kept": True,
            **changes,
        }
    )


def ref(revision: models.RevisionRow) -> models.RevisionRef:
    """Return a revision as it is named elsewhere."""
    return models.RevisionRef(**{name: getattr(revision, name) for name in models.RevisionRef.model_fields})


def change(
    old: models.RevisionRow,
    new: models.RevisionRow,
    texts: tuple[Wording, Wording],
    named: models.ArticleRef | None = None,
    **verdict: Any,
) -> models.Change:
    """Return a change from one text to the other."""
    before, after = texts
    named = named or article()
    diff = compare(before, after)
    return models.Change(
        id=sha256(f"{old.id}{new.id}".encode())[:32],
        article=named,
        headline=after.headline,
        old_headline=before.headline if before.headline != after.headline else None,
        old=ref(old),
        new=ref(new),
        not_before=old.last_observed,
        not_after=new.first_observed,
        after_seconds=(new.first_observed - START).total_seconds(),
        sentence=wording.sentence(diff, after),
        verdict=verdict_of(diff_reasons(diff), **verdict),
        fields=diff.changed_fields,
        diff=diff,
        hunks=len(diff.hunks),
        event="f" * 32,
        event_href=f"/events/{'f' * 32}",
        href=f"{named.href}/diff/{old.id}..{new.id}",
    )


def diff_reasons(diff: Any) -> tuple[Reason, ...]:
    """Return a reason for each hunk."""
    return tuple(
        Reason(kind="wording", field=hunk.field, hunk=place, old=hunk.old.exact[:60] or None, new=hunk.new.exact[:60])
        for place, hunk in enumerate(diff.hunks)
    )


def verdict_of(reasons: Sequence[Reason], **changes: Any) -> models.Verdict:
    """Return a verdict: disclosed, an update, major, unless it is said otherwise."""
    return models.Verdict(
        **{
            "disclosure": "disclosed",
            "signal": "update",
            "class": "major",
            "score": 0.98,
            "reasons": tuple(reasons),
            **changes,
        }
    )


# Whole pages

_SEEN: Final = (START + timedelta(minutes=5), START + timedelta(minutes=40), START + timedelta(minutes=70))


def ferry_rows() -> tuple[models.RevisionRow, models.RevisionRow]:
    """Return the two revisions of the story: published 14:21, updated 15:24, seen at 14:26 and 15:31."""
    updated = claim("modified", START + timedelta(minutes=63))
    return (
        row(1, _SEEN[0], _SEEN[1], FERRY_OLD),
        row(2, _SEEN[2], START + timedelta(hours=3), FERRY_NEW, modified=updated),
    )


def pairs() -> list[models.Change]:
    """Return changes of many kinds, newest first."""
    old, new = ferry_rows()
    hostile = Wording(**dict.fromkeys(("headline", "standfirst", "byline", "body", "caption", "correction"), HOSTILE))
    evil = article("e" * 16, publisher=HOSTILE, headline=HOSTILE, url=f"javascript:{HOSTILE}", language='x" y="')
    arabic = article("a" * 16, publisher="بريد الميناء", headline=_ARABIC[1].headline, language="ar")
    japanese = article("b" * 16, publisher="港新聞", headline=_JAPANESE[1].headline, language="ja")
    later = Wording(headline=_LONG, body=FERRY_NEW.body)
    return [
        change(old, new, (FERRY_OLD, FERRY_NEW)),
        change(old, new, (FERRY_NEW, later), disclosure="undisclosed", score=0.61),
        change(old, new, _ARABIC, arabic, disclosure="unknown", score=0.45, **{"class": "notable"}),
        change(old, new, _JAPANESE, japanese, signal="correction"),
        change(old, new, (FERRY_OLD, hostile), evil, disclosure="undisclosed", score=0.1, **{"class": "minor"}),
    ]


def choices() -> models.Choices:
    """Return what the filters offer."""

    def some(*values: str) -> tuple[models.Choice, ...]:
        return tuple(
            models.Choice(value=one, label=one.capitalize(), chosen=one == "undisclosed", href="/") for one in values
        )

    return models.Choices(
        publishers=some("courier.example", "harbourpost.example"),
        feeds=some("http://courier.example/rss.xml"),
        languages=some("en", "ar", "ja"),
        fields=some("headline", "standfirst", "body"),
        classes=some("minor", "notable", "major"),
        disclosures=some("disclosed", "undisclosed", "unknown"),
        signals=some("update", "correction"),
    )


def changes(*, empty: bool = False) -> models.Changes:
    """Return the front page."""
    return models.Changes(
        filters=models.Filters() if empty else models.Filters(disclosure="undisclosed"),
        choices=models.Choices() if empty else choices(),
        changes=() if empty else tuple(pairs()),
        older=None if empty else "/?after=abc",
        atom="/changes.atom",
        json_feed="/changes.feed.json",
        articles=12,
        feeds=2,
    )


def story(revisions: int = 2) -> models.Article:
    """Return an article: the two revisions of the ferry story, or as many as are asked for."""
    rows = list(ferry_rows())
    texts = [FERRY_OLD, FERRY_NEW]
    at = rows[1].last_observed
    for version in range(3, revisions + 1):
        at += timedelta(minutes=11 + 37 * (version % 5), days=4 if version in (20, 41) else 0)
        text = Wording(headline=f"{FERRY_NEW.headline}, say {version} of 60", body=FERRY_NEW.body)
        stamp = claim("modified", at - timedelta(minutes=6)) if version % 3 else rows[-1].modified
        rows.append(row(version, at, at + timedelta(minutes=4), text, modified=stamp))
        texts.append(text)
    told = [change(rows[place], rows[place + 1], (texts[place], texts[place + 1])) for place in range(len(rows) - 1)]
    gone = rows[-1].last_observed + timedelta(hours=20)
    return models.Article(
        article=article(),
        standfirst=FERRY_NEW.standfirst,
        availability="gone",
        available_since=gone,
        first_created=START,
        first_seen=rows[0].first_observed,
        last_read=gone + timedelta(hours=1),
        last_change=rows[-1].first_observed,
        due=None,
        detail="HTTP 410",
        revisions=tuple(rows),
        changes=tuple(told),
        restamps=(models.Stamped(version=2, observed=rows[1].last_observed, old=START, new=rows[1].last_observed),),
        sights=(
            models.Sight(outcome="new", first=rows[0].first_observed, last=rows[0].first_observed, count=1, version=1),
            models.Sight(
                outcome="revised",
                first=rows[1].first_observed,
                last=rows[1].last_observed,
                count=3,
                version=2,
                detail="HTTP 200",
                stamp=rows[1].modified,
            ),
        ),
        standing=(
            models.Stretch(availability="available", first=rows[0].first_observed, last=rows[-1].last_observed),
            models.Stretch(availability="gone", first=gone, last=gone + timedelta(hours=1), detail="HTTP 410"),
        ),
        names=(models.Name(kind="canonical", name="http://courier.example/local/ferry-subsidy"),),
        labels=("This part of the page changes again and again.",),
        compare="/articles/70767ab1f0a91777/diff/a..b",
        timemap="/timemap/70767ab1f0a91777",
    )


def redline(texts: tuple[Wording, Wording] = (FERRY_OLD, FERRY_NEW), **named: Any) -> models.Redline:
    """Return a redline."""
    old, new = ferry_rows()
    before, after = texts
    told = change(old, new, texts, article(**named))
    return models.Redline(
        article=told.article,
        old=old,
        new=new,
        old_wording=before,
        new_wording=after,
        diff=told.diff,
        fields=told.fields,
        verdict=told.verdict,
        sentence=told.sentence,
        not_before=told.not_before,
        not_after=told.not_after,
        after_seconds=told.after_seconds,
        id=told.id,
        event=told.event,
        event_href=told.event_href,
        plain=plain(told.diff, before),
        plain_href="/x.txt",
        previous="/a..b",
        next="/b..c",
        swap="/b..a",
        revisions=(told.old, told.new, told.new.model_copy(update={"id": "3" * 32, "version": 3})),
    )


def redlines() -> dict[str, models.Redline]:
    """Return redlines of many kinds, by name."""
    moved_old = "\n\n".join([*_TELLING, "The ferry was late again on Tuesday evening, passengers at the quay said."])
    moved_new = "\n\n".join(["The ferry was late again on Tuesday evening, passengers at the quay said.", *_TELLING])
    hostile = Wording(**dict.fromkeys(("headline", "standfirst", "byline", "body", "caption", "correction"), HOSTILE))
    return {
        "ferry": redline(),
        "moved": redline((Wording(headline="H", body=moved_old), Wording(headline="H", body=moved_new))),
        "arabic": redline(_ARABIC, language="ar", publisher="بريد الميناء"),
        "japanese": redline(_JAPANESE, language="ja", publisher="港新聞"),
        "hostile": redline((FERRY_OLD, hostile), publisher=HOSTILE, url=HOSTILE, language=HOSTILE),
        "same": redline((FERRY_OLD, FERRY_OLD)),
    }


def revision(text: Wording = FERRY_NEW, **named: Any) -> models.RevisionPage:
    """Return a revision's page."""
    old, new = ferry_rows()
    first, last = (
        models.RevisionRef(**{name: getattr(one, name) for name in models.RevisionRef.model_fields})
        for one in (old, new)
    )
    hostile = text.headline == HOSTILE
    return models.RevisionPage(
        article=article(**named),
        revision=new,
        wording=text,
        language=named.get("language", "en-GB"),
        image_url=HOSTILE if hostile else "http://courier.example/boat.jpg",
        subheadings=("The session was brief.",),
        record={"uri": HOSTILE if hostile else "tag:wirewatch.example,2026:article/70767ab1f0a91777", "version": "2"},
        record_href=f"{new.href}/record.json",
        page=models.KeptPage(
            hash="a" * 64,
            size=48_213,
            content_type=HOSTILE if hostile else "text/html; charset=utf-8",
            kept=_SEEN[2],
            headers=(("server", HOSTILE), ("date", "Sun, 04 Jun 2023 15:31:00 GMT")),
            href=f"{new.href}/page",
        ),
        claims=(claim("published", START), claim("modified", START + timedelta(minutes=63))),
        observations=4,
        older=first,
        first=first,
        last=last,
        older_diff="/a..b",
        timemap="/timemap/70767ab1f0a91777",
        memento_datetime=_SEEN[2],
    )


def days(count: int = 30) -> tuple[models.Day, ...]:
    """Return some days."""
    begin = START.replace(hour=0, minute=0)
    return tuple(
        models.Day(
            day=begin + timedelta(days=place),
            reads=48,
            failures=place % 7 // 5,
            entries=(place * 5) % 11,
            changes=(place * 3) % 7,
            undisclosed=place % 3,
        )
        for place in range(count)
    )


def feed(state: str = "well", **changed: Any) -> models.FeedRow:
    """Return a feed."""
    return models.FeedRow(
        **{
            "url": f"http://courier.example/{state}.xml",
            "name": "Ellery Courier",
            "publisher": "Ellery Courier",
            "host": "courier.example",
            "origin": "config",
            "paused": state == "paused",
            "state": state,
            "due": VISIT.now + timedelta(minutes=12),
            "reads": 1440,
            "failures": 3 if state == "failing" else 0,
            "last_read": VISIT.now - timedelta(minutes=3),
            "last_success": VISIT.now - timedelta(minutes=3),
            "last_new": VISIT.now - timedelta(hours=3),
            "detail": "HTTP 503" if state == "failing" else "",
            "share_new": 0.12,
            "last_entry_count": 30,
            "every_seconds": 900,
            "slow": "It asks by its headers not to be read more often than every 15 minutes.",
            "articles": 812,
            "days": days(),
            "href": "/feed?url=http%3A%2F%2Fcourier.example%2Frss.xml",
            **changed,
        }
    )


def alert(state: str = "sent", **changed: Any) -> models.AlertRow:
    """Return an alert."""
    return models.AlertRow(
        **{
            "id": "c" * 32,
            "channel": "editor",
            "rule": "silent-edits",
            "kind": "single",
            "created": START,
            "state": state,
            "due": START,
            "attempts": 2,
            "failures": 1,
            "settled": START if state != "waiting" else None,
            "detail": "the server said 421",
            "subject": 'Ellery Courier changed "will" to "could" in the headline',
            "again": state == "dead",
            "href": f"/alerts/{'c' * 32}",
            **changed,
        }
    )


def letter(**changed: Any) -> models.DeadLetterRow:
    """Return a dead letter."""
    return models.DeadLetterRow(
        **{
            "id": 7,
            "at": START,
            "step": "extract",
            "reason": "Its worker was killed after 10 s over this page.",
            "url": "http://courier.example/local/ferry-subsidy?a=" + "b" * 120,
            "sha256": "d" * 64,
            "replayable": True,
            "href": "/dead-letters/7",
            **changed,
        }
    )


def publisher(**changed: Any) -> models.PublisherRow:
    """Return a publisher."""
    return models.PublisherRow(
        **{
            "host": "courier.example",
            "name": "Ellery Courier",
            "articles": 1240,
            "changed_articles": 212,
            "changes": 310,
            "disclosed": 201,
            "undisclosed": 74,
            "unknown": 35,
            "major": 41,
            "corrections": 6,
            "undisclosed_share": 74 / 275,
            "median_after_seconds": 5400.0,
            "days": days(),
            "href": "/publishers/courier.example",
            **changed,
        }
    )


def _buckets(*labels: str) -> tuple[models.Bucket, ...]:
    return tuple(
        models.Bucket(label=one, count=3 + 7 * place % 13, undisclosed=place % 3) for place, one in enumerate(labels)
    )


def pages() -> dict[str, tuple[str, object]]:
    """Return all pages by the name of what they show, each with its template."""
    hostile = Wording(**dict.fromkeys(("headline", "standfirst", "byline", "body", "caption", "correction"), HOSTILE))
    found: dict[str, tuple[str, object]] = {
        "changes": ("changes.html", changes()),
        "changes-empty": ("changes.html", changes(empty=True)),
        "article": ("article.html", story()),
        "article-sixty": ("article.html", story(60)),
        "revision": ("revision.html", revision()),
        "revision-arabic": ("revision.html", revision(_ARABIC[1], language="ar", publisher="بريد الميناء")),
        "revision-hostile": ("revision.html", revision(hostile, publisher=HOSTILE, url=HOSTILE)),
        "feeds": (
            "feeds.html",
            models.Feeds(
                feeds=tuple(feed(state) for state in ("failing", "quiet", "well", "new", "paused")),
                hosts=(models.HostRow(host="harbourpost.example", blocked_until=START, unreadable=3, pages=40),),
                last_pass=VISIT.now - timedelta(minutes=2),
                waiting=3,
            ),
        ),
        "feeds-empty": ("feeds.html", models.Feeds()),
        "feed": (
            "feed.html",
            models.FeedPage(feed=feed(), articles=(article(),), changes=tuple(pairs()[:2]), all_changes="/?feed=x"),
        ),
        "alerts": (
            "alerts.html",
            models.Alerts(
                channels=(
                    models.ChannelRow(name="editor", matches=2, alerts=1, next_ripe=VISIT.now),
                    models.ChannelRow(name="desk", off_since=START, reason="HTTP 410"),
                ),
                alerts=(alert("waiting"), alert("sent"), alert("dead", subject=HOSTILE)),
                older="/alerts?after=x",
            ),
        ),
        "alerts-empty": ("alerts.html", models.Alerts()),
        "alert": (
            "alert.html",
            models.AlertPage(
                alert=alert("dead"),
                matches=(
                    models.MatchRow(
                        rule="silent-edits",
                        state="sent",
                        happened="revised",
                        matched=START,
                        why=("disclosure is undisclosed",),
                        article=article(),
                        event="f" * 32,
                        event_href=f"/events/{'f' * 32}",
                    ),
                ),
            ),
        ),
        "dead-letters": (
            "dead_letters.html",
            models.DeadLetters(letters=(letter(), letter(reason=HOSTILE, url=HOSTILE))),
        ),
        "dead-letters-empty": ("dead_letters.html", models.DeadLetters()),
        "dead-letter": (
            "dead_letter.html",
            models.DeadLetterPage(letter=letter(), status=200, size=512, headers=(("server", HOSTILE),)),
        ),
        "publishers": (
            "publishers.html",
            models.Publishers(period_days=30, publishers=(publisher(), publisher(name=HOSTILE))),
        ),
        "publishers-empty": ("publishers.html", models.Publishers(period_days=30)),
        "publisher": (
            "publisher.html",
            models.PublisherPage(
                period_days=30,
                publisher=publisher(),
                delays=_buckets("under 10 min", "10 to 60 min", "1 to 6 h", "6 to 24 h", "1 to 7 days", "later"),
                classes=_buckets("minor", "notable", "major"),
                fields=_buckets("headline", "standfirst", "body"),
                hours=_buckets(*(f"{hour:02}" for hour in range(24))),
                changes=tuple(pairs()[:2]),
                all_changes="/?publisher=courier.example",
            ),
        ),
        "error": (
            "error.html",
            models.Failure(
                status=404, title="There is no such article", detail=HOSTILE, todo="Look for it on the front page."
            ),
        ),
    }
    found |= {f"redline-{name}": ("redline.html", page) for name, page in redlines().items()}
    return found
