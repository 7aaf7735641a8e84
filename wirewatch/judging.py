"""Compare two wordings and judge the difference, in a bounded process, whatever their length.

Who asks always gets an exact diff. What is too long for a fine comparison is said field by field, and judged as what
nobody could look at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wirewatch.bounded import Pool
from wirewatch.diff import compare
from wirewatch.errors import BadContent
from wirewatch.model import WORDING_FIELDS, Claim, Diff, Hunk, Selector, Verdict, Wording
from wirewatch.significance import judge, uncompared
from wirewatch.wording import sentence


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """A diff, what it means, and what it says in one sentence."""

    diff: Diff
    verdict: Verdict
    sentence: str


def compare_and_judge(old: Wording, new: Wording, old_stamp: Claim | None, new_stamp: Claim | None) -> Judgement:
    """Return what changed between two wordings and what that means; called in a bounded process."""
    diff = compare(old, new)
    verdict = judge(diff, old, new, old_stamp=old_stamp, new_stamp=new_stamp)
    return Judgement(diff=diff, verdict=verdict, sentence=sentence(diff, new))


def judged_in(
    pool: Pool, old: Wording, new: Wording, old_stamp: Claim | None, new_stamp: Claim | None, *, about: str
) -> Judgement:
    """Return what `compare_and_judge` does, worked out in a child of the pool; `about` is the article's address."""
    try:
        return pool.run(compare_and_judge, old, new, old_stamp, new_stamp, returns=Judgement, about=about)
    except BadContent:  # too long for a fine comparison: the change is still said, field by field
        coarse = _field_by_field(old, new)
        changed = " and ".join(one.replace("_", " ") for one in coarse.changed_fields)
        return Judgement(
            diff=coarse, verdict=uncompared(coarse), sentence=f"changed the {changed}, too long to compare"
        )


def _field_by_field(old: Wording, new: Wording) -> Diff:
    """Return the coarsest exact diff there is: each changed field replaced as a whole."""
    hunks = []
    for name in WORDING_FIELDS:
        before, after = getattr(old, name) or "", getattr(new, name) or ""
        if before == after:
            continue
        op: Literal["insert", "delete", "replace"] = "replace" if before and after else "insert" if after else "delete"
        hunks.append(Hunk(field=name, op=op, old=_whole(before), new=_whole(after)))
    removed, added = (sum(len(getattr(hunk, side).exact.split()) for hunk in hunks) for side in ("old", "new"))
    return Diff(hunks=tuple(hunks), words_added=added, words_removed=removed, similarity=0.0)


def _whole(text: str) -> Selector:
    return Selector(exact=text, prefix="", suffix="", start=0, end=len(text))
