"""What a watcher must find in five passes over the newsroom: written by hand, not worked out from the stories.

Only what must be found is stated, each change once. How often an unchanged article is read in between is the
schedule's business, so re-reads are not listed: whatever a pass counts beside its changes must be `unchanged`,
`not_modified` or `duplicate`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from wirewatch.demo.stories import at

FERRY: Final = "http://courier.example/local/ferry-subsidy"
LATE_BUS: Final = "http://courier.example/local/late-buses-lighthouse-road"
BOARDWALK: Final = "http://courier.example/community/marsh-boardwalk"
LIBRARY: Final = "http://courier.example/local/library-roof"
BRIDGE: Final = "http://courier.example/local/swing-bridge-closure"
SWIMMER: Final = "http://courier.example/news/harbour-swim"
SWIMMER_MOVED: Final = "http://courier.example/sport/hundredth-crossing"
SMOKEHOUSE: Final = "http://courier.example/business/smokehouse-quay"
MUSEUM: Final = "http://courier.example/culture/museum-oddest-gifts"
GOAT: Final = "http://courier.example/local/goat-traffic"
FERRY_COPY: Final = "http://harbourpost.example/news/5107/ferry-subsidy-passes"
CRAB: Final = "http://harbourpost.example/fishing/5101/crab-landings"
COBBLES: Final = "http://harbourpost.example/news/5098/ropewalk-lane-cobbles"


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpectedChange:
    """One change that a pass must find, in Wirewatch's words.

    `url` is the address at which the article was first seen, whatever it is called now. `fields` are the compared
    fields that differ. `event` is None where nothing is announced yet. `dated` is the observation that dates the
    revision where it is not this pass's.
    """

    url: str
    outcome: Literal["new", "revised", "restamped", "stale", "gone"]
    event: Literal["published", "revised", "restamped", "withdrawn"] | None
    disclosure: Literal["disclosed", "undisclosed", "stamp_only"] | None = None
    signal: Literal["update", "correction"] | None = None
    fields: tuple[str, ...] = ()
    dated: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpectedPass:
    """What one pass must find, and which articles answer 304 if it asks them with what they sent before."""

    at: datetime
    changes: tuple[ExpectedChange, ...] = ()
    confirmable: frozenset[str] = frozenset()

    def counted(self, outcome: str) -> int:
        """Return how many of the changes have this outcome."""
        return sum(change.outcome == outcome for change in self.changes)


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpectedRevision:
    """One revision: its headline, the first observation of it, and the stamps it carried then."""

    headline: str
    first_observed: datetime
    published: datetime
    modified: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpectedArticle:
    """How an article must stand after the last pass.

    `stamp` is its latest "Updated" where that moved without a revision.
    """

    url: str
    guid: str
    revisions: tuple[ExpectedRevision, ...]
    aliases: tuple[str, ...] = ()
    availability: Literal["available", "gone"] = "available"
    stamp: datetime | None = None

    @property
    def headline(self) -> str:
        """The headline after the last pass."""
        return self.revisions[-1].headline


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpectedAlert:
    """One alert that must arrive: by which way, after which pass, of what."""

    by: Literal["webhook", "mail"]
    at: datetime
    url: str
    happened: Literal["revised", "withdrawn"]


_FIRST, _SECOND, _THIRD, _FOURTH, _FIFTH = (at(clock) for clock in ("14:26", "15:31", "15:54", "16:10", "17:00"))


def expected_passes() -> tuple[ExpectedPass, ...]:
    """Return what each of the five passes must find."""
    there_at_once = (
        FERRY,
        LATE_BUS,
        BOARDWALK,
        LIBRARY,
        BRIDGE,
        SWIMMER,
        SMOKEHOUSE,
        MUSEUM,
        FERRY_COPY,
        CRAB,
        COBBLES,
    )
    never_reworded = frozenset({MUSEUM, FERRY_COPY, COBBLES})
    return (
        ExpectedPass(at=_FIRST, changes=tuple(_new(url) for url in there_at_once)),
        ExpectedPass(
            at=_SECOND,
            changes=(
                _revised(FERRY, "disclosed", "headline", "standfirst", "body"),
                _revised(LATE_BUS, "undisclosed", "headline"),
                ExpectedChange(url=BOARDWALK, outcome="restamped", event="restamped", disclosure="stamp_only"),
                _revised(BRIDGE, "disclosed", "headline", "body"),
                ExpectedChange(url=SMOKEHOUSE, outcome="gone", event="withdrawn"),
                _new(GOAT),
            ),
            confirmable=never_reworded,
        ),
        ExpectedPass(
            at=_THIRD,
            changes=(
                ExpectedChange(
                    url=LIBRARY,
                    outcome="revised",
                    event="revised",
                    disclosure="disclosed",
                    signal="correction",
                    fields=("body", "correction"),
                ),
                ExpectedChange(url=BRIDGE, outcome="stale", event=None),
                _revised(CRAB, "undisclosed", "body"),
            ),
            confirmable=never_reworded | {FERRY, LATE_BUS},
        ),
        ExpectedPass(
            at=_FOURTH,
            changes=(_revised(BRIDGE, "undisclosed", "headline", "body", dated=_THIRD),),
            confirmable=never_reworded | {FERRY, LATE_BUS},
        ),
        ExpectedPass(at=_FIFTH),
    )


def expected_alerts() -> tuple[ExpectedAlert, ...]:
    """Return what must arrive at the desk, in no order.

    It asks by webhook for all changes and withdrawals, by mail for changes that their publisher does not disclose and
    for ferries. An alert waits for two minutes, and so for the next pass.
    """
    hooks = (
        (_THIRD, FERRY, LATE_BUS, BRIDGE),
        (_FOURTH, LIBRARY, CRAB),
        (_FIFTH, BRIDGE),
    )
    mails = ((_THIRD, FERRY, LATE_BUS), (_FOURTH, CRAB), (_FIFTH, BRIDGE))
    gone = ExpectedAlert(by="webhook", at=_THIRD, url=SMOKEHOUSE, happened="withdrawn")
    return (gone, *_alerts("webhook", hooks), *_alerts("mail", mails))


def expected_articles() -> tuple[ExpectedArticle, ...]:
    """Return every article of the five passes as it must stand at the end, in the order of its url."""
    six_nights = "Swing bridge to close for six nights in April"
    library = "Library roof repairs to begin after Easter"
    crab = "Crab landings rise for the third year running"
    articles = (
        ExpectedArticle(
            url=FERRY,
            guid="courier-88213",
            revisions=(
                _revision("Harbour council approves ferry subsidy", _FIRST, "14:21"),
                _revision("Harbour council approves ferry subsidy after recount", _SECOND, "14:21", "15:24"),
            ),
        ),
        ExpectedArticle(
            url=LATE_BUS,
            guid="courier-88197",
            revisions=(
                _revision("Late buses will return to the lighthouse road in May", _FIRST, "10:48", "11:32"),
                _revision("Late buses could return to the lighthouse road in May", _SECOND, "10:48", "11:32"),
            ),
        ),
        ExpectedArticle(
            url=BOARDWALK,
            guid="courier-88190",
            revisions=(
                _revision("Plank by plank, volunteers bring back the marsh boardwalk", _FIRST, "09:15", "12:10"),
            ),
            stamp=at("15:12"),
        ),
        ExpectedArticle(
            url=LIBRARY,
            guid="courier-88199",
            revisions=(_revision(library, _FIRST, "11:05"), _revision(library, _THIRD, "11:05", "15:40")),
        ),
        ExpectedArticle(
            url=BRIDGE,
            guid="courier-88204",
            revisions=(
                _revision(six_nights, _FIRST, "12:30", "12:48"),
                _revision("Swing bridge to close for nine nights in April", _SECOND, "12:30", "15:18"),
                _revision(six_nights, _THIRD, "12:30", "12:48"),
            ),
        ),
        ExpectedArticle(
            url=SWIMMER,
            guid="courier-88185",
            revisions=(_revision("Swimmer, 71, crosses the harbour for the hundredth time", _FIRST, "08:40"),),
            aliases=(SWIMMER_MOVED,),
        ),
        ExpectedArticle(
            url=SMOKEHOUSE,
            guid="courier-88208",
            revisions=(_revision("Smokehouse in talks to leave the quay, say traders", _FIRST, "13:20"),),
            availability="gone",
        ),
        ExpectedArticle(
            url=MUSEUM,
            guid="courier-88176",
            revisions=(_revision("A tin bath, a glass eye: the museum shows its oddest gifts", _FIRST, "07:30"),),
        ),
        ExpectedArticle(
            url=GOAT,
            guid="courier-88219",
            revisions=(_revision("Goat holds up traffic on Custom House Hill for an hour", _SECOND, "15:20"),),
        ),
        ExpectedArticle(
            url=FERRY_COPY,
            guid="tag:harbourpost.example,2026:story/5107",
            revisions=(_revision("Ferry subsidy passes harbour council by nine votes to four", _FIRST, "14:24"),),
        ),
        ExpectedArticle(
            url=CRAB,
            guid="tag:harbourpost.example,2026:story/5101",
            revisions=(_revision(crab, _FIRST, "09:55"), _revision(crab, _THIRD, "09:55")),
        ),
        ExpectedArticle(
            url=COBBLES,
            guid="tag:harbourpost.example,2026:story/5098",
            revisions=(_revision("Ropewalk Lane wins its cobbles back", _FIRST, "08:05", "10:30"),),
        ),
    )
    return tuple(sorted(articles, key=lambda article: article.url))


def _alerts(
    by: Literal["webhook", "mail"], passes: tuple[tuple[datetime, *tuple[str, ...]], ...]
) -> Iterator[ExpectedAlert]:
    for moment, *urls in passes:
        yield from (ExpectedAlert(by=by, at=moment, url=url, happened="revised") for url in urls)


def _new(url: str) -> ExpectedChange:
    return ExpectedChange(url=url, outcome="new", event="published")


def _revised(
    url: str, disclosure: Literal["disclosed", "undisclosed"], *fields: str, dated: datetime | None = None
) -> ExpectedChange:
    return ExpectedChange(
        url=url, outcome="revised", event="revised", disclosure=disclosure, signal="update", fields=fields, dated=dated
    )


def _revision(headline: str, first_observed: datetime, published: str, modified: str | None = None) -> ExpectedRevision:
    return ExpectedRevision(
        headline=headline,
        first_observed=first_observed,
        published=at(published),
        modified=at(modified) if modified else None,
    )
