"""Give an alert its id and the form in which it is kept until it is sent, and after."""

from __future__ import annotations

from collections.abc import Sequence

from wirewatch.alerts.model import Alert
from wirewatch.canonical import canonical_json, sha256
from wirewatch.store.alerts import Formed


def alert_id(channel: str, parts: Sequence[str]) -> str:
    """Return the id, 32 hex digits, of the alert that tells a channel of these matches, or of a condition."""
    return sha256(canonical_json(["alert", channel, *sorted(parts)]))[:32]


def whole(alert: Alert) -> Formed:
    """Return an alert as it is kept."""
    return Formed(
        id=alert.id,
        channel=alert.channel,
        rule=alert.rule,
        kind=alert.kind,
        created=alert.created,
        body=canonical_json(alert),
    )
