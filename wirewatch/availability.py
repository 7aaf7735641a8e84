"""What an HTTP answer, or its absence, says about whether an article or feed can be read.

Nothing here is ever a change of the article: a failure is not a change.
"""

from __future__ import annotations

from wirewatch.model import Availability, Capture, Seen

_BLOCKED = frozenset({401, 402, 403, 407, 429, 451})
_OF_SEEN = {
    Seen.NOT_MODIFIED: Availability.AVAILABLE,
    Seen.MISSING: Availability.MISSING,
    Seen.GONE: Availability.GONE,
    Seen.BLOCKED: Availability.BLOCKED,
    Seen.FAILED: Availability.FAILING,
    Seen.REFUSED: Availability.REFUSED,
    Seen.INVALID: Availability.FAILING,
}


def seen(capture: Capture) -> tuple[Seen, str]:
    """Return what the answer shows and, unless it is a wording, the reason in words.

    A 2xx with content is a wording as far as HTTP can tell; only reading it decides.
    """
    if capture.refused:
        return Seen.REFUSED, capture.problem or "this address may not be asked"
    if capture.problem is not None:
        return Seen.FAILED, capture.problem
    if capture.status == 304 or (capture.status is None and capture.not_modified):
        return Seen.NOT_MODIFIED, "HTTP 304"
    if capture.status is None or 200 <= capture.status < 300:
        return Seen.WORDING, ""
    reason = f"HTTP {capture.status}"
    if capture.status == 404:
        return Seen.MISSING, reason
    if capture.status == 410:
        return Seen.GONE, reason
    if capture.status in _BLOCKED:
        return Seen.BLOCKED, reason
    return Seen.FAILED, reason


def availability(seen: Seen, *, paywalled: bool) -> Availability:
    """Return the availability that one observation alone shows; what takes several is the ledger's to say."""
    if seen is Seen.WORDING:
        return Availability.PAYWALLED if paywalled else Availability.AVAILABLE
    return _OF_SEEN[seen]
