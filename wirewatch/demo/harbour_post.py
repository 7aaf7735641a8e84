"""The Harbour Post, a second invented newspaper, with an Atom feed.

It carries the Courier's ferry story and says so in `rel=canonical`, yet its copy is an article of its own: it
never hears of the recount.
"""

from __future__ import annotations

from typing import Final

from wirewatch.demo.courier import COURIER
from wirewatch.demo.stories import Edition, Site, Story, Words, at, revise

_FERRY_COPY: Final = revise(
    COURIER.stories[0].editions[0].words,
    headline="Ferry subsidy passes harbour council by nine votes to four",
    byline="By Marta Quill, Ellery Courier",
    section="News",
    caption="The Dame Odile, one of two ferries to Gannet Isle.",
    credit="Picture: Ellery Courier",
)

_CRAB: Final = Words(
    headline="Crab landings rise for the third year running",
    standfirst="More brown crab came ashore on this coast last year than in any year since the count began.",
    byline="By Ned Trevanion",
    section="Fishing",
    body="""
    Boats from the five harbours landed 1,840 tonnes in 2025, a rise of 12 per cent, the fishery officers say in their
    yearly report. It is the third rise in a row.

    The price fell a little at the same time, from 3.15 to 2.90 a kilo, so that the fleet of 57 boats earned hardly more
    than the year before.

    “We are catching them as fast as we can draw them,” said Keziah Polgrain, who fishes 400 pots from the Bright
    Cordelia. “What we are short of is people who know what to do with a crab.”

    ## Warmer water, bigger crabs

    Scientists at the marine station on Gannet Isle put the rise down to three warm springs. The animals moult sooner,
    grow faster and walk further, some of them 40 miles in a season.

    The smallest size that may be landed went up to 15 centimetres in January. Boats that bring in smaller ones must
    expect a fine of 2,500.

    A crab festival is planned for the first weekend in August. The officers ask visitors not to bring their own.
    """,
    caption="Pots stacked on the north quay before the season.",
    credit="Picture: Ned Trevanion",
)

_COBBLES: Final = Words(
    headline="Ropewalk Lane wins its cobbles back",
    standfirst="The cobbles that a cable displaced in 2018 are to return to Ropewalk Lane, one by one and numbered.",
    byline="By Clementine Orchard",
    section="News",
    body="""
    All 9,460 stones have spent eight years in a barn at Nether Hallam, where a former surveyor, Gideon Stallybrass,
    chalked a number on each before they were carted away.

    “They told me to put them in a heap,” Mr Stallybrass said. “I have never put anything in a heap.”

    Work begins on Monday, March 23, at the chandler’s end, and is to reach the church by Whitsun. The lane stays open
    to people on foot; prams are advised to wait.

    ## A cable and a quarrel

    The lane was surfaced with tar after the power cable had been laid, for what was to be one winter. Residents wrote
    214 letters about it. The highways office has kept them all and has offered to give them back as well.

    Twenty-six stones are missing. Some are thought to be doorstops, and anybody who finds that theirs has a number on
    its underside may hand it in at the post office, with no questions asked.

    The work costs 72,000, which the cable’s owner pays.
    """,
    caption="Gideon Stallybrass with stone number one in the barn at Nether Hallam.",
    credit="Picture: Clementine Orchard",
)

HARBOUR_POST: Final = Site(
    host="harbourpost.example",
    name="Harbour Post",
    motto="News from five harbours",
    feed_path="/feed.atom",
    feed_kind="atom",
    sections=("News", "Fishing", "Business", "Letters"),
    stories=(
        Story(
            guid="tag:harbourpost.example,2026:story/5107",
            picture="gannet-isle-ferry",
            tags=("ferries", "councils"),
            validators=("last-modified",),
            canonical=COURIER.address + COURIER.stories[0].first_path,
            editions=(
                Edition(
                    since=at("14:24"), path="/news/5107/ferry-subsidy-passes", words=_FERRY_COPY, published=at("14:24")
                ),
            ),
        ),
        Story(
            guid="tag:harbourpost.example,2026:story/5101",
            picture="crab-pots",
            tags=("crab", "landings"),
            editions=(
                Edition(since=at("09:55"), path="/fishing/5101/crab-landings", words=_CRAB, published=at("09:55")),
                Edition(  # two digits change places, and nobody says so
                    since=at("15:46"),
                    path="/fishing/5101/crab-landings",
                    words=revise(
                        _CRAB,
                        replacing={
                            "1,840 tonnes in 2025, a rise of 12 per cent": "1,480 tonnes in 2025, a rise of 2 per cent"
                        },
                    ),
                    published=at("09:55"),
                ),
            ),
        ),
        Story(
            guid="tag:harbourpost.example,2026:story/5098",
            picture="ropewalk-lane",
            tags=("streets", "heritage"),
            validators=("etag", "last-modified"),
            editions=(
                Edition(
                    since=at("10:30"),
                    path="/news/5098/ropewalk-lane-cobbles",
                    words=_COBBLES,
                    published=at("08:05"),
                    modified=at("10:30"),
                ),
            ),
        ),
    ),
)
