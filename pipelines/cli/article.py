"""Find an article under any of its names, and show its ledger as a timeline with a redline between two revisions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text as Words

from pipelines.cli.given import address
from pipelines.cli.screen import answers, distance, emit, moment, number, one_line, table, write_text
from pipelines.config import Config
from wirewatch import redline, wording
from wirewatch.bounded import Pool
from wirewatch.canonical import article_uri
from wirewatch.diff import compare
from wirewatch.errors import ConfigurationError
from wirewatch.model import Alias, Claim, Diff, Observation, Outcome, Revision, Seen, Source, Verdict
from wirewatch.revisions import History, Ledger, fold, stamp_of
from wirewatch.significance import judge
from wirewatch.store import Store, articles, ledger
from wirewatch.store.labels import Labels, labels, sentences
from wirewatch.store.ledger import Text
from wirewatch.store.removing import texts_removed

_QUIET: Final = (Outcome.UNCHANGED, Outcome.NOT_MODIFIED, Outcome.DUPLICATE)
_ZONES: Final = {"stated": "zone stated", "configured": "zone configured", "assumed": "zone assumed"}
_DISCLOSED: Final = {
    "disclosed": "disclosed by the publisher",
    "undisclosed": "not disclosed by the publisher",
    "unknown": "",
}


@dataclass(frozen=True, kw_only=True)
class Article:
    """One article as the store has it."""

    uri: str
    row: Any
    source: Source  # what the configuration says of it, or of its feed
    names: tuple[Alias, ...]
    ledger: Ledger
    history: History
    texts: dict[str, Text]  # by the hash of the text, of each revision whose text is still there
    removed: dict[str, datetime]  # when the others were removed
    labels: Labels

    @property
    def headline(self) -> str:
        """The latest headline, or the address where there is none."""
        revisions = self.history.revisions
        text = self.texts.get(revisions[-1].text_hash) if revisions else None
        return (one_line(text.wording.headline) if text else "") or self.row.url

    def summary(self, now: datetime) -> str:
        """Return how the article stands, in one line."""
        due = f"next look {distance(self.row.due_at, now)}" if self.row.due_at else "not asked any more"
        due = "forgotten" if self.row.forgotten else due
        versions = number(len(self.history.revisions), "revision")
        return f"{self.headline} — {versions}, {self._standing()}, {due}"

    def as_json(self) -> dict[str, Any]:
        """Return all of it for programs."""
        return {
            "uri": self.uri,
            "url": self.row.url,
            "names": self.names,
            "availability": self.history.availability.value,
            "available_since": self.history.available_since,
            "due_at": self.row.due_at,
            "labels": self.labels,
            "forgotten": self._forgotten(),
            "revisions": [self._plain(one) for one in self.history.revisions],
            "observations": [
                {"outcome": outcome.value, "observation": observation}
                for observation, outcome in zip(self.ledger.observations, self.history.outcomes, strict=True)
            ],
        }

    def timeline(self, now: datetime) -> RenderableType:
        """Return who it is, what it is called and all that was seen of it, for a terminal."""
        due = f"{moment(self.row.due_at)} ({distance(self.row.due_at, now)})" if self.row.due_at else "not any more"
        forgotten = self._forgotten()
        facts = table("", "")
        facts.show_header = False
        for name, value in (
            ("Address", one_line(self.row.url)),
            ("Uri", self.uri),
            ("Standing", self._standing()),
            ("Next look", due),
            *((("Forgotten", f"{moment(forgotten['at'])} UTC: {one_line(forgotten['reason'])}"),) if forgotten else ()),
            *((("Removed", self._without_text()),) if self.removed and not forgotten else ()),
            *(("Label", label) for label in sentences(self.labels, self.history)),
            *((f"{alias.kind.capitalize()}", one_line(alias.name)) for alias in self._other_names()),
        ):
            facts.add_row(Words(name, style="dim"), value)
        seen = table("Observed (UTC)", "Outcome", "Rev.", "The publisher's clock", numbers=("Rev.",))
        seen.columns[0].no_wrap = True
        for row in self._rows():
            seen.add_row(*row)
        return Group(Words(self.headline, style="bold"), "", facts, "", seen)

    def revision(self, version: int) -> Revision:
        """Return a revision by the number people see; raise ConfigurationError if there is none."""
        revisions = self.history.revisions
        if not 1 <= version <= len(revisions):
            there = number(len(revisions), "revision")
            raise ConfigurationError(f"There is no revision {version} of this article; it has {there}", about=self.uri)
        return revisions[version - 1]

    def why_gone(self, revision: Revision) -> str | None:
        """Return in words why a revision has no text any more; None where it has one."""
        if revision.text_hash in self.texts:
            return None
        forgotten, at = self._forgotten(), self.removed.get(revision.text_hash)
        if forgotten:
            return f"The article was forgotten on {forgotten['at']:%Y-%m-%d}: of its words only hashes are kept"
        day = f" on {at:%Y-%m-%d}" if at else ""
        return f"The text of revision {revision.version} was removed{day}, as `retention` says: only its hash is kept"

    def _forgotten(self) -> dict[str, Any] | None:
        if self.row.forgotten is None:
            return None
        return {"at": self.row.forgotten, "reason": self.row.forgotten_reason}

    def _plain(self, revision: Revision) -> dict[str, Any]:
        text, at = self.texts.get(revision.text_hash), self.removed.get(revision.text_hash)
        return {
            "revision": revision,
            "wording": text.wording if text else None,
            **({"removed": at} if not text else {}),
        }

    def _without_text(self) -> str:
        gone = [str(one.version) for one in self.history.revisions if one.text_hash not in self.texts]
        return f"the text of {'revisions' if len(gone) > 1 else 'revision'} {', '.join(gone)}, as `retention` says"

    def _standing(self) -> str:
        history = self.history
        since = f" since {moment(history.available_since)} UTC" if history.available_since else ""
        if not self.ledger.observations:
            return "not read yet" + (f": {one_line(self.row.last_detail)}" if self.row.last_detail else "")
        pending = f"; a {history.pending.kind} wording awaits confirmation" if history.pending else ""
        return f"{history.availability.value}{since}{pending}"

    def _other_names(self) -> Iterator[Alias]:
        return (alias for alias in self.names if alias.name != self.row.url)

    def _rows(self) -> Iterator[tuple[str, str | Words, str, str]]:
        """Yield the timeline's rows; re-reads that changed nothing are one row together."""
        told = list(zip(self.ledger.observations, self.history.outcomes, strict=True))
        stamp: datetime | None = None
        at = 0
        while at < len(told):
            observation, outcome = told[at]
            run = 1
            while outcome in _QUIET and at + run < len(told) and told[at + run][1] is outcome:
                run += 1
            version = self._version(observation)
            said, stamp = _said(observation, stamp if outcome in _QUIET else None)
            if run > 1:
                said = f"{number(run, 'time')}, until {moment(told[at + run - 1][0].observed)}"
            style = "dim" if outcome in _QUIET else "bold" if outcome in (Outcome.NEW, Outcome.REVISED) else "yellow"
            yield moment(observation.observed), Words(outcome.value.replace("_", " "), style=style), version, said
            at += run

    def _version(self, observation: Observation) -> str:
        for revision in self.history.revisions:
            same = revision.content_hash == observation.content_hash
            if same and revision.first_observed <= observation.observed <= revision.last_observed:
                return str(revision.version)
        return ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """What changed from one revision to another."""

    old: Revision
    new: Revision
    old_text: Text
    diff: Diff
    verdict: Verdict
    sentence: str

    def write(self, *, whole: bool) -> None:
        """Write it, with unchanged text folded unless all is wanted."""
        dates = " → ".join(moment(one.version_created) for one in (self.old, self.new))
        title = Words(f"Revision {self.old.version} → {self.new.version}", style="bold")
        title.append(f"  {dates} UTC", style="dim")
        weight = f"{self.verdict.significance_class} ({self.verdict.score:.2f})"
        parts = (self.sentence, _DISCLOSED[self.verdict.disclosure], weight)
        said = ". ".join(_capital(part) for part in parts if part) + "."
        lines = redline.terminal(self.diff, self.old_text.wording, **({"context": None} if whole else {}))
        for text in (title, said, "", lines):
            write_text(text)

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "from": self.old.version,
            "to": self.new.version,
            "sentence": self.sentence,
            "verdict": self.verdict,
            "diff": self.diff,
        }


def show(
    config: Config,
    store: Store,
    name: str,
    versions: tuple[int | None, int | None],
    now: datetime,
    *,
    whole: bool,
    as_json: bool,
) -> None:
    """Print an article's ledger, and what changed between two revisions."""
    article = find(store, config, name)
    pair = chosen(article, *versions)
    comparison, lacking = None, next((why for one in pair or () if (why := article.why_gone(one))), None)
    if lacking is not None and versions != (None, None):
        raise ConfigurationError(lacking, about=article.uri)
    if pair is not None and lacking is None:
        with Pool(1) as pool:
            comparison = compared(article, *pair, pool)
    if as_json:
        emit(article.as_json() | ({"comparison": comparison.as_json()} if comparison else {}))
        return
    screen = answers()
    screen.print(article.timeline(now))
    if comparison is not None:
        screen.print()
        comparison.write(whole=whole)


def find(store: Store, config: Config, name: str) -> Article:
    """Return the article known under an address, uri or key; raise ConfigurationError if there is none."""
    instance = config.instance
    with store.reading() as conn:
        for key in _keys(conn, name):
            loaded = ledger.load(conn, key)
            if not loaded.known:
                continue
            row = ledger.row(conn, key)
            if row.merged_into:
                loaded, row = ledger.load(conn, row.merged_into), ledger.row(conn, row.merged_into)
            history = fold(loaded.ledger)
            texts = ledger.texts_of(conn, {row.key: history.revisions})
            gone = {one.text_hash for one in history.revisions} - {text_hash for _, text_hash in texts}
            return Article(
                uri=article_uri(instance.authority, instance.since, row.key),
                row=row,
                source=articles.source_of(conn, row.url) or Source(),
                names=ledger.names(conn, row.key),
                ledger=loaded.ledger,
                history=history,
                labels=labels(conn, loaded.ledger, history),
                texts={text_hash: text for (_, text_hash), text in texts.items()},
                removed={text_hash: at for (_, text_hash), at in texts_removed(conn, [row.key], gone).items()},
            )
    raise ConfigurationError(f"Nothing is kept under {name}; `wirewatch watch URL` reads an article", about=name)


def chosen(article: Article, old: int | None, new: int | None) -> tuple[Revision, Revision] | None:
    """Return the two revisions to compare: the last two unless others are named; None where there is only one."""
    count = len(article.history.revisions)
    if count < 2 and old is None and new is None:
        return None
    to = new if new is not None else count
    before = old if old is not None else to - 1
    return article.revision(before), article.revision(to)


def compared(article: Article, old: Revision, new: Revision, pool: Pool) -> Comparison:
    """Return what changed between two revisions, worked out in a bounded process."""
    before, after = article.texts[old.text_hash], article.texts[new.text_hash]
    about = article.uri
    diff = pool.run(compare, before.wording, after.wording, returns=Diff, about=about)
    return Comparison(
        old=old,
        new=new,
        old_text=before,
        diff=diff,
        verdict=pool.run(
            judge,
            diff,
            before.wording,
            after.wording,
            old_stamp=old.stamp,
            new_stamp=new.modified,
            returns=Verdict,
            about=about,
        ),
        sentence=pool.run(wording.sentence, diff, after.wording, returns=str, about=about),
    )


def _keys(conn: Any, name: str) -> Sequence[str]:
    if "://" in name:
        return sorted(set(ledger.owners(conn, [address(name)]).values()))
    return [name.rpartition(":article/")[2] if name.startswith("tag:") else name]


def _said(observation: Observation, known: datetime | None) -> tuple[str, datetime | None]:
    """Return what an observation says of the publisher's time, or why there was nothing to read."""
    if observation.seen not in (Seen.WORDING, Seen.NOT_MODIFIED):
        return one_line(observation.detail, 200), known
    published, modified = (stamp_of(observation.claims, kind) for kind in ("published", "modified"))
    never_updated = modified is not None and published is not None and modified.at == published.at
    stamp = published if modified is None or never_updated else modified
    if stamp is None or stamp.at == known:
        return "", known
    return _clock(stamp), stamp.at


def _clock(stamp: Claim) -> str:
    what = "updated" if stamp.kind == "modified" else "published"
    flags = "".join(f", {flag.replace('_', ' ')}" for flag in stamp.flags)
    return f"{what} {moment(stamp.at)} ({stamp.where}, {_ZONES[stamp.zone]}{flags})"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
