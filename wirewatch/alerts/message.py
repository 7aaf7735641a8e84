"""Put an alert into words: a subject, a first line that says what changed, text and HTML.

All of it is publisher text in our words, and templates decide only how it is laid out. Control characters are visible
signs and each line is one line; what else a service takes for markup or a mention is for its channel to defuse.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from jinja2 import (
    BaseLoader,
    FileSystemLoader,
    StrictUndefined,
    TemplateNotFound,
    TemplatesNotFound,
    TemplateSyntaxError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from wirewatch import redline, wording
from wirewatch.alerts.model import Alert, Story
from wirewatch.canonical import article_uri
from wirewatch.model import Claim, Instance, Reason
from wirewatch.records import web_address
from wirewatch.redline import visible
from wirewatch.significance.weights import by_weight
from wirewatch.wording import Language
from wirewatch.wording.language import span

_CONTEXT: Final = 20  # words on either side of a change; at most 60 may be quoted around one
_CHANGED: Final = 60  # words of what was put in or taken out
_CHANGES: Final = 20  # of one article; the rest is counted
_STORIES: Final = 20  # of one message; the rest is counted
_TITLES: Final = 10  # of a group's articles
_SUBJECT: Final = 150  # characters; more than any mail program shows
_LINE: Final = 600  # characters of a first line; four quotations and their places have less
_HEADLINE: Final = 300  # characters, as in events
_TEXT: Final = 4000  # characters of what Wirewatch says of itself
# What is said of the window in which something happened.
_SEEN: Final = {
    "published": "first_seen",
    "withdrawn": "withdrawn",
    "returned": "returned",
    "restamped": "restamped",
    "merged": "merged",
}
_SHIPPED: Final = files("wirewatch.alerts") / "templates"


@dataclass(frozen=True, kw_only=True, slots=True)
class Links:
    """Where more can be read: what a deployment says of itself.

    `viewer` is the public address of its web pages, without a slash at the end; None where it has none. `config` is
    what `--config` is given in a command to copy, None for the default.
    """

    instance: Instance
    viewer: str | None = None
    config: str | None = None

    def uri(self, kind: str, name: str) -> str:
        """Return the `tag:` URI (RFC 4151) of something under this installation's name."""
        return f"tag:{self.instance.authority},{self.instance.since}:{kind}/{name}"

    def page(self, kind: str, name: str) -> str | None:
        """Return the web page of something (`articles`, `revisions`, `events`), or None where there are none."""
        return None if self.viewer is None else f"{self.viewer.rstrip('/')}/{kind}/{name}"

    def show_command(self, url: str) -> str:
        """Return the command that shows all of an article, fit for a shell."""
        config = f" --config {shlex.quote(self.config)}" if self.config else ""
        return f"wirewatch show {shlex.quote(url)}{config}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """A finished message. `subject` and `first_line` are one line each; `html` is a fragment that is safe anywhere.

    `parts` are the messages of single stories, where a channel tells each by itself. `problems` say which templates of
    the user's own could not be used, and that those that ship were used for them.
    """

    subject: str
    first_line: str
    text: str
    html: str
    links: Links
    parts: tuple[Message, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ToldStory:
    """A story in words, as templates are given it. Empty texts are what there is nothing to say of."""

    first_line: str
    summary: str
    headline: str
    publisher: str
    url: str
    times: tuple[str, ...]
    notes: tuple[str, ...]
    redline_text: str
    redline_html: Markup
    record: str
    record_url: str
    page_url: str
    show_command: str


def compose(
    alert: Alert, links: Links, *, language: str = "en", zone: str = "UTC", templates: Path | None = None
) -> Message:
    """Return what is said about an alert.

    `zone` is the IANA name of the zone in which times are told. `templates` is a folder whose templates are taken
    before those that ship: `alert.de.html.j2`, then `alert.html.j2`, then the shipped one.
    """
    say = wording.language(language)
    stories = alert.stories[: 1 if alert.kind == "group" else _STORIES]
    told = [_told(alert, story, say, links, ZoneInfo(zone)) for story in stories]
    first_line, subject = _opening(alert, told, say)
    titles = alert.stories[:_TITLES] if alert.kind == "group" else ()
    rest = len(alert.stories) - (len(titles) if alert.kind == "group" else len(told))
    rest += alert.more if alert.kind != "more" else 0
    context = {
        "subject": subject,
        "first_line": first_line,
        "lines": [_one_line(line, _LINE) for line in alert.text[:_TEXT].splitlines()[1:]],
        "stories": told,
        "titles": [{"headline": _headline(story), "url": _address(story)} for story in titles],
        "and_more": say.and_more(rest) if rest > 0 else "",
        "kind": alert.kind,
        "rule": _one_line(alert.rule, _HEADLINE) if alert.kind != "operator" else "",
        "channel": alert.channel,
        "language": language,
        "say": say.words,
    }
    problems: list[str] = []
    filled = {name: _filled(name, language, templates, context, problems) for name in _NAMES}
    return Message(
        subject=_one_line(filled["subject.txt"], _SUBJECT),
        first_line=first_line,
        text=filled["alert.txt"],
        html=filled["alert.html"],
        links=links,
        problems=tuple(problems),
    )


# What is said


def _opening(alert: Alert, told: list[ToldStory], say: Language) -> tuple[str, str]:
    """Return the first line, and the subject, which has the headline too."""
    if alert.text:
        line = _one_line(alert.text.strip().partition("\n")[0], _LINE)
        return line, f"{say.words['operator']}: {line}"
    if alert.kind == "more" or not told:
        line = say.more(alert.more, _one_line(alert.rule, _HEADLINE))
        return f"{line}.", line
    first, story = told[0], alert.stories[0]
    if alert.kind == "group":
        line = say.group(first.publisher, max(story.boilerplate, len(alert.stories)), first.summary)
        return f"{line}.", line
    if len(alert.stories) > 1 and alert.kind == "follow_up":
        line = say.taken_back_together(first.publisher, _headline(story), len(alert.stories) - 1 + alert.more)
        return f"{line}.", line
    if len(alert.stories) > 1:
        line = say.digest(f"{first.publisher} {first.summary}", len(alert.stories) - 1)
        return f"{line}.", line
    if alert.kind == "follow_up" or not (story.diff and story.new):
        return first.first_line, first.first_line.removesuffix(".")
    short = redline.literal(say.lead(story.diff, story.new, _heaviest(story), most=1))
    return first.first_line, f"{first.publisher} {short} – {first.headline}"


def _told(alert: Alert, story: Story, say: Language, links: Links, zone: ZoneInfo) -> ToldStory:
    publisher = _quoted(story.publisher or "") or urlsplit(story.url).hostname or story.uri
    url = _address(story)
    summary = _summary(story, say)
    diff, old = (story.diff, story.old) if alert.kind != "follow_up" else (None, None)
    bounds: dict[str, Any] = {"context": _CONTEXT, "changed": _CHANGED, "changes": _CHANGES, "labels": say.labels}
    return ToldStory(
        first_line=_first_line(alert, story, publisher, summary, say),
        summary=summary,
        headline=_headline(story),
        publisher=publisher,
        url=url,
        times=tuple(_times(story, say, zone)) if alert.kind != "follow_up" else (),
        notes=tuple(_notes(story, say)) if alert.kind != "group" else (),
        redline_text=redline.plain(diff, old, **bounds) if diff and old else "",
        # The redline escapes what it quotes.
        redline_html=Markup(redline.html(diff, old, styles=True, marks=True, **bounds) if diff and old else ""),  # noqa: S704
        record=_record(story, say, links),
        record_url=(links.page("revisions", story.new_revision.id) if story.new_revision else None) or "",
        page_url=links.page("articles", story.article) or "",
        show_command=links.show_command(url),
    )


def _first_line(alert: Alert, story: Story, publisher: str, summary: str, say: Language) -> str:
    if alert.kind == "follow_up" or story.happened == "retracted":
        return f"{say.taken_back(publisher, _headline(story), summary if story.diff else '')}."
    parts = [f"{publisher} {summary}", _after(story, say)]
    if story.revisions > 1:
        parts.append(say.revised_times(story.revisions))
    if story.diff and story.verdict:
        parts.append(say.notice(story.verdict.disclosure, story.verdict.signal))
    return f"{_one_line(', '.join(part for part in parts if part), _LINE)}."


def _summary(story: Story, say: Language) -> str:
    """Return what happened, as a verb and what belongs to it: `changed 12 to 15 killed in paragraph 3`."""
    if story.diff and story.new:
        return redline.literal(say.lead(story.diff, story.new, _heaviest(story)))
    return say.happened(story.happened, _headline(story), _quoted(story.detail))


def _heaviest(story: Story) -> list[Reason]:
    return by_weight(story.verdict.reasons) if story.verdict else []


def _after(story: Story, say: Language) -> str:
    """Return how long after publication it happened, as exactly as that is known, or nothing."""
    begin, claim = _publication(story), _moved_stamp(story)
    if begin is None or story.happened not in ("revised", "withdrawn"):
        return ""
    least, most = (claim, claim) if claim else (story.not_before or begin, story.not_after)
    if most is None or most < begin:
        return ""
    return say.after_publication(
        span(max((least - begin).total_seconds(), 0)) if least else span(0), span((most - begin).total_seconds())
    )


def _publication(story: Story) -> datetime | None:
    claim = story.published
    return claim.at if claim and not claim.flags else None


def _moved_stamp(story: Story) -> datetime | None:
    """Return the publisher's own time of the change, where it lies in the window in which the change happened."""
    new, old = story.new_stamp, story.old_stamp
    if new is None or new.at is None or new.flags or (old is not None and new.at == old.at):
        return None
    early = story.not_before is not None and new.at < story.not_before
    late = story.not_after is not None and new.at > story.not_after
    return None if early or late else new.at


def _times(story: Story, say: Language, zone: ZoneInfo) -> Iterator[str]:
    if story.published and story.published.at:
        yield f"{say.words['published']} {_stated(story.published, say, zone)}"
    new, old = story.new_stamp, story.old_stamp
    if new and new.at and (not story.published or new.at != story.published.at):
        line = f"{say.words['updated']} {_stated(new, say, zone)}"
        moved = old is not None and old.at is not None and old.at != new.at
        yield f"{line}, {say.words['stamp_was']} {say.moment(old.at, zone)}" if moved and old and old.at else line
    if story.not_after:
        label = say.words[_SEEN.get(story.happened, "changed")]
        yield f"{label} {say.window(story.not_before, story.not_after, zone)}"


def _stated(claim: Claim, say: Language, zone: ZoneInfo) -> str:
    assert claim.at is not None
    assumed = f" ({say.words['zone_assumed']})" if claim.zone == "assumed" else ""
    return f"{say.moment(claim.at, zone)}{assumed}"


def _notes(story: Story, say: Language) -> Iterator[str]:
    if story.boilerplate > 1:
        yield say.many_alike(story.boilerplate)
    if story.unsteady:
        yield say.words["unsteady"]
    if story.stale:
        yield say.words["stale"]


def _record(story: Story, say: Language, links: Links) -> str:
    if story.new_revision is None:
        return ""
    uri = article_uri(links.instance.authority, links.instance.since, story.article)
    return f"{uri}, {say.words['version']} {story.new_revision.version}"


def _headline(story: Story) -> str:
    return _quoted(story.headline or "") or _address(story)


def _address(story: Story) -> str:
    """Return the article's address if it is one that a link may have, else its uri."""
    return web_address(story.url) or story.uri


def _quoted(text: str) -> str:
    """Return a short text of the publisher's on one line, in which nothing looks like a mark of ours."""
    return redline.literal(_one_line(text, _HEADLINE))


def _one_line(text: str, most: int) -> str:
    line = visible(" ".join(text.split()))
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


# How it is laid out

_NAMES: Final = ("subject.txt", "alert.txt", "alert.html")


class _Shipped(BaseLoader):
    """Load the templates that ship, from wherever the package lies."""

    def get_source(self, environment: Any, template: str) -> tuple[str, str | None, None]:
        source = _SHIPPED / template
        if not source.is_file():
            raise TemplateNotFound(template)
        return source.read_text(encoding="utf-8"), None, None


def _filled(name: str, language: str, folder: Path | None, context: dict[str, Any], problems: list[str]) -> str:
    """Return a template filled in: the user's own, or the shipped one where there is none or it fails."""
    if folder is not None and not folder.is_dir():
        problems.append(f"There is no folder {folder} with templates: the shipped {_file(name)} was used.")
    elif folder is not None:
        try:
            return _laid_out(folder, [_file(name, language), _file(name)], context)
        except TemplatesNotFound:
            pass  # the shipped one is meant
        except Exception as error:  # noqa: BLE001 (a template can raise anything, and is no reason to stay silent)
            problems.append(_problem(folder, name, error))
    return _laid_out(None, [_file(name)], context)


def _laid_out(folder: Path | None, names: list[str], context: dict[str, Any]) -> str:
    return _environment(folder).select_template(names).render(context).strip("\n")


def _problem(folder: Path, name: str, error: Exception) -> str:
    line = f", line {error.lineno}" if isinstance(error, TemplateSyntaxError) else ""
    file = error.name if isinstance(error, TemplateSyntaxError) and error.name else _file(name)
    said = _one_line(str(error).partition("\n")[0], _HEADLINE)
    return f"{folder / file}{line} cannot be used as a template ({said}): the shipped {_file(name)} was."


def _file(name: str, language: str = "") -> str:
    stem, _, kind = name.partition(".")
    return ".".join(filter(None, (stem, language, kind, "j2")))


@lru_cache(maxsize=32)
def _environment(folder: Path | None) -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        loader=_Shipped() if folder is None else FileSystemLoader(folder),
        autoescape=lambda name: name is not None and name.endswith(".html.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
