"""Put an alert into words: a subject, a first line that says what changed, text and HTML.

All of it is publisher text in our words. Control characters are visible signs and each line is one line; what else a
service takes for markup or a mention is for its channel to defuse.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wirewatch import redline, wording
from wirewatch.alerts.model import Alert, Story
from wirewatch.model import Instance
from wirewatch.redline import visible


@dataclass(frozen=True, kw_only=True, slots=True)
class Links:
    """Where more can be read: what a deployment says of itself.

    `viewer` is the public address of its web pages, without a slash at the end; None where it has none. `config` is
    what `--config` is given in a command to copy, None for the default.
    """

    instance: Instance
    viewer: str | None = None
    config: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """A finished message. `subject` and `first_line` are one line each; `html` is a fragment that is safe anywhere."""

    subject: str
    first_line: str
    text: str
    html: str


def compose(
    alert: Alert,
    links: Links,
    *,
    language: str = "en",
    zone: str = "UTC",
    kind: str = "",
    templates: Path | None = None,
) -> Message:
    """Return what is said about an alert.

    `zone` is the IANA name of the zone in which times are told. `templates` is a folder whose templates are taken
    before those that ship, `kind` the channel's.
    """
    lines = [alert.text, *(_line(story) for story in alert.stories)] if alert.text else map(_line, alert.stories)
    told = list(lines) or [f"{alert.more} more for {alert.rule}"]
    redlines = [(story.diff, story.old) for story in alert.stories]
    return Message(
        subject=told[0][:120],
        first_line=told[0],
        text="\n\n".join([*told, *(redline.plain(diff, old) for diff, old in redlines if diff and old)]),
        html="\n".join(redline.html(diff, old, styles=True) for diff, old in redlines if diff and old),
    )


def _line(story: Story) -> str:
    said = wording.sentence(story.diff, story.new) if story.diff and story.new else story.happened
    return visible(" ".join(f"{story.publisher or story.url} {said}".split()))
