"""The Ellery Courier, an invented newspaper with an RSS feed, and what it did to its stories on one Monday."""

from __future__ import annotations

from typing import Final

from wirewatch.demo.stories import Edition, Site, Story, Words, at, revise

_FERRY: Final = Words(
    headline="Harbour council approves ferry subsidy",
    standfirst="The harbour council approved a 4.2 million ferry subsidy on Monday.",
    byline="By Marta Quill",
    section="Local",
    dateline="PORT ELLERY",
    body="""
    The vote was 9 to 4. The operator did not immediately comment.

    The money keeps the winter boats to Gannet Isle running for three more years. Without it, the council was told,
    the last sailing of the day would have gone from November, and with it the only way home for 61 islanders who
    work on the mainland.

    “Nobody on this council has ever had to sleep in a bus shelter because the tide was against them,” said Hesper
    Dunnock, who chairs the harbour council. “I can introduce you to eleven people who have.”

    ## A winter timetable, and its price

    The subsidy pays for four return crossings a day between November and March, one more than now. A single ticket
    stays at 3.80 for residents and rises to 9.50 for everybody else.

    Corvin Ashgrove, who led the opposition, called the sum “a fortune for a boat that sails half empty”. He had asked
    for the contract to be put out to tender again, a motion that fell before lunch.

    Ellery Ferries has run the crossing since 1974. Its newer vessel, the Sandwort, has spent two of the last five
    winters in dry dock, and the older one, the Dame Odile, celebrates her fiftieth birthday in June.

    The first subsidised sailing is due to leave the Customs Steps at 6.10am on Sunday, November 1.
    """,
    caption="The Dame Odile leaves the Customs Steps on a quiet morning.",
    credit="Photograph: Ines Hollowmere/Ellery Courier",
)
_FERRY_AFTER_RECOUNT: Final = revise(
    _FERRY,
    headline="Harbour council approves ferry subsidy after recount",
    standfirst="The harbour council approved a 4.7 million ferry subsidy on Monday.",
    replacing={
        "The vote was 9 to 4. The operator did not immediately comment.": (
            "The vote was 8 to 5 after a recount. Ellery Ferries said it welcomed the decision."
        ),
        "one more than now": "two more than now",
        "a motion that fell before lunch.": (
            "a motion that fell before lunch. It was Mr Ashgrove who asked for the recount, after a raised hand in the "
            "public gallery had been taken for a vote."
        ),
    },
)

_LATE_BUS: Final = Words(
    headline="Late buses will return to the lighthouse road in May",
    standfirst="A bus to Skerry Light after ten at night is in the summer timetable for the first time since 2019.",
    byline="By Tobias Wrenfield",
    section="Local",
    body="""
    Two services, at 10.20pm and 11.45pm, are to leave the bus station from Friday, May 1, if enough drivers can be
    found. The second would wait for the last ferry, as it did until seven years ago.

    Downs & Harbour Omnibus says it needs nine more drivers and has so far taken on four. Training takes eight weeks.

    “The road is narrow, the sheep are fearless and the fog comes in sideways,” said Pell Marrable, who drove the route
    for 22 years and now teaches it. “I would not hurry anybody through that.”

    ## Taxis and torches

    Since the late bus stopped, the 240 people who live beyond the golf course have shared taxis or walked. The parish
    has handed out reflective armbands, and a pot of torches stands outside the Mariners’ Rest.

    The county pays 38,000 a year towards the two services. It will look at the numbers again after twelve months.

    A return ticket will cost 4.40. Dogs travel free, the company says, “and so does anyone who can show us a puffin”.
    """,
    caption="The turning circle at Skerry Light, where the last bus now leaves at 7.50pm.",
    credit="Photograph: Ines Hollowmere/Ellery Courier",
)

_BOARDWALK: Final = Words(
    headline="Plank by plank, volunteers bring back the marsh boardwalk",
    standfirst="Six hundred metres of oak cross the salt marsh again, two years after a storm took the old path.",
    byline="By Orla Fennimore",
    section="Community",
    body="""
    The last of 2,150 planks went down on Sunday afternoon, to applause, a thermos of something stronger than tea and a
    short speech that the wind carried off towards the estuary.

    About 130 people have worked on the path since last April. The youngest, Wilf Tansley, is seven and in charge of
    counting screws. There were 17,200 of them.

    “We said it would take a summer,” said Bronagh Fleetwood, a retired piano tuner who organised the weekends. “We did
    not say which one.”

    ## Built to be lost

    The new path stands on legs 40 centimetres longer than the old one and is cut into sections that can float. When the
    next great tide comes they should lift, drift to the railings and wait there to be fetched.

    The oak came from the Hallam estate, where a gale in 2023 brought down more trees than the sawmill could take. The
    nature trust paid for the rest with 26,400 from a fund for coastal paths.

    Walkers may use the boardwalk from Saturday. Between March and July, when the redshanks nest, dogs must stay on a
    lead and choirs are asked to keep to the car park.
    """,
    caption="Volunteers carry one of the last planks across the marsh on Sunday.",
    credit="Photograph: Leopold Amory",
)

_LIBRARY: Final = Words(
    headline="Library roof repairs to begin after Easter",
    standfirst="Readers will have to share a floor with the children’s corner while the library’s roof is mended.",
    byline="By Marta Quill",
    section="Local",
    body="""
    Scaffolding goes up on Tuesday, April 7, and is to stay for 14 weeks. The upper floor, with local history and the
    quiet room, closes the day before.

    The work will cost 310,000, according to papers that go before the town’s finance committee this week. Of that, half
    comes from the county and the rest from a reserve that the town has kept since it sold the old gasworks.

    Rain has been coming through above the atlases since October. Staff have put out nine buckets, and a tenth, which
    they call the emergency bucket, after a reader complained of a drip on her crossword.

    ## Slates from the same quarry

    The roof was last mended in 1961. Builders then used tiles that are too heavy for the beams; the new slates are to
    come from the quarry that supplied the first ones in 1888.

    “A library can survive most things,” said the head librarian, Ambrose Tilney. “Fashion, silence, even poetry
    evenings. Water is the exception.”

    Some 6,000 books have been moved to the old customs house, where they may be asked for and fetched within a day.
    """,
    caption="Buckets between the shelves on the upper floor of the library.",
    credit="Photograph: Ines Hollowmere/Ellery Courier",
)
_LIBRARY_CORRECTED: Final = revise(
    _LIBRARY,
    replacing={"The work will cost 310,000, according": "The work will cost 130,000, according"},
    correction=(
        "Correction: An earlier version of this article gave the cost of the repairs as 310,000. The figure in the "
        "council’s papers is 130,000."
    ),
)

_BRIDGE: Final = Words(
    headline="Swing bridge to close for six nights in April",
    standfirst="Drivers face a detour of eleven miles while the swing bridge’s bearings are replaced.",
    byline="By Tobias Wrenfield",
    section="Local",
    body="""
    The bridge will be shut to traffic from 9pm to 5am, beginning on Monday, April 13. Pedestrians and bicycles may
    cross with a marshal, ten at a time, on the hour.

    Engineers found cracks in two of the 48 bearings in January. All are to be replaced at once, which will take six
    nights if the weather is kind.

    Ambulances will be stationed on both banks. The detour leads over Mill Ford, where the county has taken down the
    sign that says “Unsuitable for anything”.

    ## Boats first

    While the road is closed the bridge will stand open, so that boats can pass at any state of the tide. The yacht
    club, not otherwise known for rising early, has announced a breakfast.

    “It is a clock of a bridge,” said the county’s engineer, Ottoline Pryce-Lamb. “Take out one wheel and you had better
    have a good look at all the others.”

    The work costs 540,000. The last set of bearings lasted for 37 years, two more than had been promised.
    """,
    caption="The swing bridge, seen from the yacht club’s slipway.",
    credit="Photograph: Leopold Amory",
)
_BRIDGE_NINE: Final = revise(
    _BRIDGE,
    headline="Swing bridge to close for nine nights in April",
    replacing={
        "will take six nights if the weather is kind.": (
            "will take nine nights. A plan for six was given up on Monday, when the supplier split the delivery."
        ),
        "The work costs 540,000.": "The work costs 585,000.",
    },
)

_SWIMMER: Final = Words(
    headline="Swimmer, 71, crosses the harbour for the hundredth time",
    standfirst="Philippa Garrow stepped out of the water on Sunday, asked for her glasses and said she would be back.",
    byline="By Orla Fennimore",
    section="Sport",
    body="""
    The crossing is 1.4 kilometres at high water and took her 41 minutes, four minutes more than her best and 19 fewer
    than her first, in the summer of 2011.

    She swims without a wetsuit from April to December and with one, under protest, in the months between. On Sunday
    the harbour had 8.5 degrees.

    “People ask what I think about out there,” Mrs Garrow said. “Mostly marmalade.”

    ## A seal for company

    For the last third of the way she was followed by a grey seal known at the yacht club as the Commodore. It has
    turned up for 23 of her swims and has twice been given a place in the club’s results, once ahead of her.

    About 200 people watched from the steps. The harbour master held back the 2.15pm ferry by six minutes, for which he
    has asked to be forgiven in writing.

    Mrs Garrow has raised 31,700 for the lifeboat over the years. She has not decided how long she will go on. “Until
    somebody hides my towel,” she said.
    """,
    caption="Philippa Garrow reaches the steps on Sunday afternoon.",
    credit="Photograph: Ines Hollowmere/Ellery Courier",
)

_SMOKEHOUSE: Final = Words(
    headline="Smokehouse in talks to leave the quay, say traders",
    standfirst="The last smokehouse on the fish quay may move inland, according to three traders who rent from it.",
    byline="By Jago Pellworth",
    section="Business",
    body="""
    The traders say they were told last week that the lease of Varley & Daughter, which runs until 2031, is to be
    offered to a hotel company. The firm has smoked haddock on the quay since 1923.

    A spokesman for the smokehouse said it did not comment on rumours, “least of all on the ones that smell of fish”.

    The firm employs 34 people, most of them from the streets behind the quay. In summer a queue for kippers reaches
    as far as the weighbridge.

    ## A hotel with a view

    Plans for a hotel of 60 rooms on the quay were withdrawn in 2022 after 1,900 people had signed a petition against
    them. The council says it has not been asked about new ones.

    One of the traders, who did not want to be named, said she had been offered a stall on the trading estate. “It has
    parking,” she said. “It does not have a harbour.”

    The smokehouse’s chimneys are protected. What comes out of them, a planning officer confirmed, is not.
    """,
    caption="Smoke over the fish quay on a winter morning.",
    credit="Photograph: Leopold Amory",
)

_MUSEUM: Final = Words(
    headline="A tin bath, a glass eye: the museum shows its oddest gifts",
    standfirst="For 140 years the people of Port Ellery have given the museum things it never asked for.",
    byline="By Orla Fennimore",
    section="Culture",
    body="""
    Now 85 of them are on show, most for the first time, in three rooms that used to hold the collection of ropes. The
    ropes, says the museum, are resting.

    There is a tin bath in which a baker claimed to have rowed to Gannet Isle for a bet in 1902. There is a stuffed
    pike with a door key in its stomach. There is a glass eye, blue, found in a jar of humbugs.

    “Every one of these came with a letter that says it will be of great interest,” said the curator, Sidony Blackett.
    “I have decided to believe them.”

    ## The letters

    The letters hang beside the gifts, and are the best of it. “Sir,” begins one of 1931, “my late husband would not be
    parted from this. I find that I would.”

    Visitors may bring gifts of their own to a table by the exit on Thursdays. Twelve have been taken in so far,
    among them a key that may, or may not, fit the pike.

    “Of Great Interest” is open every day but Monday until September 6. Tickets cost 5.50, and nothing at all for those
    who can prove that they, or an ancestor, gave the museum something odd.
    """,
    caption="The baker’s tin bath, with oars.",
    credit="Photograph: Ines Hollowmere/Ellery Courier",
)

_GOAT: Final = Words(
    headline="Goat holds up traffic on Custom House Hill for an hour",
    standfirst="Traffic stood still on Custom House Hill on Monday afternoon because a goat did.",
    byline="By Jago Pellworth",
    section="Local",
    body="""
    The animal, a large white billy with one horn, lay down on the crossing outside the post office at about ten past
    two. It could not be persuaded by horns, by carrots or by a constable.

    At one time 70 cars and the number 6 bus were waiting. Passengers got off and bought ice cream, although it was
    nine degrees.

    The goat belongs to Hob Lanyon, who keeps eleven of them on the allotments and was at the dentist. “His name is
    Chancellor,” Mr Lanyon said with some difficulty. “He gets up when he hears the gate.”

    ## The gate

    The gate, or rather the sound of it, was brought in the end by a neighbour, who had recorded it on her telephone.
    Chancellor rose at the second playing and walked home without looking to either side.

    It was his fourth outing this year. In February he was found in the queue at the building society, “perfectly
    polite”, as the branch put it, “but without an account”.

    The council said it would write to Mr Lanyon. He said he hoped it would use thick paper.
    """,
    caption="Chancellor on the crossing outside the post office.",
    credit="Photograph: Wilhelmina Dray",
)

COURIER: Final = Site(
    host="courier.example",
    name="Ellery Courier",
    motto="Port Ellery and the isles, since 1871",
    feed_path="/rss.xml",
    feed_kind="rss",
    sections=("Local", "Business", "Sport", "Community", "Culture"),
    stories=(
        Story(
            guid="courier-88213",
            picture="ferry-at-customs-steps",
            tags=("ferries", "harbour council", "Gannet Isle"),
            validators=("etag", "last-modified"),
            editions=(
                Edition(since=at("14:21"), path="/local/ferry-subsidy", words=_FERRY, published=at("14:21")),
                Edition(
                    since=at("15:24"),
                    path="/local/ferry-subsidy",
                    words=_FERRY_AFTER_RECOUNT,
                    published=at("14:21"),
                    modified=at("15:24"),
                ),
            ),
        ),
        Story(
            guid="courier-88197",
            picture="skerry-light",
            tags=("buses", "Skerry Light"),
            validators=("etag",),
            editions=(
                Edition(
                    since=at("11:32"),
                    path="/local/late-buses-lighthouse-road",
                    words=_LATE_BUS,
                    published=at("10:48"),
                    modified=at("11:32"),
                ),
                Edition(  # "will" becomes "could" without a word about it
                    since=at("15:02"),
                    path="/local/late-buses-lighthouse-road",
                    words=revise(_LATE_BUS, headline="Late buses could return to the lighthouse road in May"),
                    published=at("10:48"),
                    modified=at("11:32"),
                ),
            ),
        ),
        Story(
            guid="courier-88190",
            picture="marsh-boardwalk",
            tags=("salt marsh", "volunteers"),
            json_ld=False,
            editions=(
                Edition(
                    since=at("12:10"),
                    path="/community/marsh-boardwalk",
                    words=_BOARDWALK,
                    published=at("09:15"),
                    modified=at("12:10"),
                ),
                Edition(  # the stamp alone
                    since=at("15:12"),
                    path="/community/marsh-boardwalk",
                    words=_BOARDWALK,
                    published=at("09:15"),
                    modified=at("15:12"),
                ),
            ),
        ),
        Story(
            guid="courier-88199",
            picture="library-buckets",
            tags=("library", "town finances"),
            editions=(
                Edition(since=at("11:05"), path="/local/library-roof", words=_LIBRARY, published=at("11:05")),
                Edition(
                    since=at("15:40"),
                    path="/local/library-roof",
                    words=_LIBRARY_CORRECTED,
                    published=at("11:05"),
                    modified=at("15:40"),
                ),
            ),
        ),
        Story(
            guid="courier-88204",
            picture="swing-bridge",
            tags=("roads", "swing bridge"),
            json_ld=False,
            editions=(
                Edition(
                    since=at("12:48"),
                    path="/local/swing-bridge-closure",
                    words=_BRIDGE,
                    published=at("12:30"),
                    modified=at("12:48"),
                ),
                Edition(
                    since=at("15:18"),
                    path="/local/swing-bridge-closure",
                    words=_BRIDGE_NINE,
                    published=at("12:30"),
                    modified=at("15:18"),
                ),
                Edition(  # the editor thinks better of it and restores what stood there, stamp and all
                    since=at("15:49"),
                    path="/local/swing-bridge-closure",
                    words=_BRIDGE,
                    published=at("12:30"),
                    modified=at("12:48"),
                ),
            ),
        ),
        Story(
            guid="courier-88185",
            picture="harbour-swim",
            tags=("swimming", "lifeboat"),
            editions=(
                Edition(since=at("08:40"), path="/news/harbour-swim", words=_SWIMMER, published=at("08:40")),
                Edition(since=at("15:06"), path="/sport/hundredth-crossing", words=_SWIMMER, published=at("08:40")),
            ),
        ),
        Story(
            guid="courier-88208",
            picture="smokehouse",
            tags=("fish quay", "Varley & Daughter"),
            gone_from=at("14:58"),
            editions=(
                Edition(since=at("13:20"), path="/business/smokehouse-quay", words=_SMOKEHOUSE, published=at("13:20")),
            ),
        ),
        Story(
            guid="courier-88176",
            picture="tin-bath",
            tags=("museum", "exhibitions"),
            validators=("etag",),
            editions=(
                Edition(since=at("07:30"), path="/culture/museum-oddest-gifts", words=_MUSEUM, published=at("07:30")),
            ),
        ),
        Story(
            guid="courier-88219",
            picture="goat-on-crossing",
            tags=("traffic", "goats"),
            editions=(Edition(since=at("15:20"), path="/local/goat-traffic", words=_GOAT, published=at("15:20")),),
        ),
    ),
)
