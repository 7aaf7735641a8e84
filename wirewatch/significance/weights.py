"""Weigh the reasons of a verdict: one table, from which class and score follow and nothing else does.

The score orders and routes. It never drops: the lightest change is still a change, with its reasons.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import prod, sqrt
from typing import Final, Literal, NamedTuple

from wirewatch.model import Reason

Class = Literal["minor", "notable", "major"]


class Weight(NamedTuple):
    """How much one kind of reason counts, from 0 to 1, and what it says.

    `light` kinds count once, however often they occur, and all of them together never lift a change above minor.
    """

    weight: float
    says: str
    light: bool = False


# What can make a reader believe something else weighs most; what only a typesetter sees weighs least. Kinds without a
# weight point at something and leave the judgement to the others.
WEIGHTS: Final[dict[str, Weight]] = {
    "correction": Weight(0.80, "The publisher's correction note appeared, grew, changed or vanished."),
    "negation": Weight(0.70, "A word such as not, never or without came or went."),
    "uncompared": Weight(0.70, "What changed is too long to be looked at, so that any word may have changed."),
    "money": Weight(0.65, "An amount of money is another one."),
    "number": Weight(0.62, "A number is another one, in figures or in words."),
    "date": Weight(0.62, "A day, month or date is another one."),
    "time": Weight(0.62, "A time of day is another one."),
    "name": Weight(0.62, "A name inside a sentence is another one, came or went."),
    "quotation": Weight(0.62, "Words between quotation marks changed, so that somebody said something else."),
    "headline": Weight(0.60, "The words of the headline changed: for many readers it is the article."),
    "rewritten": Weight(0.60, "Less than half of the text stayed."),
    "attribution": Weight(0.50, "Who says so, or how, changed: said, claimed, according to."),
    "hedge": Weight(0.50, "How sure or how much it is changed: allegedly, may, at least."),
    "grave": Weight(0.50, "A word of consequence came or went: dead, guilty, denied, elected."),
    "question": Weight(0.45, "A statement became a question, or a question a statement."),
    "removed": Weight(0.35, "Words were taken out."),
    "wording": Weight(0.30, "Words were exchanged for others."),
    "added": Weight(0.30, "Words were put in."),
    "byline": Weight(0.30, "Other authors are named."),
    "dateline": Weight(0.30, "Another place is named."),
    "standfirst": Weight(0.10, "The standfirst changed; what changed in it counts by itself.", light=True),
    "moved": Weight(0.10, "A sentence stands elsewhere.", light=True),
    "credit": Weight(0.06, "The lead image's credit changed.", light=True),
    "spelling": Weight(0.06, "The same words are spelt otherwise.", light=True),
    "number_form": Weight(0.05, "The same number is written otherwise.", light=True),
    "section": Weight(0.05, "The article stands in another section.", light=True),
    "caption": Weight(0.05, "The lead image's caption changed; what changed in it counts by itself.", light=True),
    "case": Weight(0.03, "Small letters became capitals, or capitals small.", light=True),
    "punctuation": Weight(0.03, "Marks between the same words changed.", light=True),
    "quote_marks": Weight(0.02, "The same quotation marks have another shape.", light=True),
    "space": Weight(0.02, "White space or invisible characters changed.", light=True),
    "corrected": Weight(0.0, "The sentence that a new correction note speaks of, as far as a number or name tells."),
    "ago": Weight(0.0, "A time that passes by itself: 5 minutes ago. Repeated, it makes the article unsteady."),
    "counter": Weight(0.0, "A count of comments, views or shares. Repeated, it makes the article unsteady."),
    "listing": Weight(0.0, "A list of other articles inside the text. Repeated, it makes the article unsteady."),
}
NOTABLE: Final = (
    0.25  # a single exchanged word whose meaning is not known is notable: `bail in cash`, `libellous video`
)
MAJOR: Final = 0.60  # any one of the kinds that weigh most, or seven places with exchanged words
_LIGHT_AT_MOST: Final = 0.20
LIGHT: Final = frozenset(kind for kind, weight in WEIGHTS.items() if weight.light)


def weigh(reasons: Sequence[Reason]) -> tuple[Class, float]:
    """Return class and score of a change with these reasons.

    The score is one minus the product of what each kind leaves open: `1 - weight`, to the power of the square root of
    how often it occurs. One more reason never lowers it.
    """
    counts = Counter(reason.kind for reason in reasons)
    light = 1 - prod(1 - WEIGHTS[kind].weight for kind in counts if kind in LIGHT)
    heavy = prod((1 - WEIGHTS[kind].weight) ** sqrt(n) for kind, n in counts.items() if kind not in LIGHT)
    score = round(1 - heavy * (1 - min(light, _LIGHT_AT_MOST)), 2)
    return class_of(score), score


def class_of(score: float) -> Class:
    """Return the class of a score."""
    if score >= MAJOR:
        return "major"
    return "notable" if score >= NOTABLE else "minor"


def by_weight(reasons: Sequence[Reason]) -> list[Reason]:
    """Return the reasons, heaviest first, those of one weight in the order of their hunks."""
    return sorted(reasons, key=lambda reason: (-WEIGHTS[reason.kind].weight, reason.hunk))
