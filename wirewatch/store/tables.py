"""The store's tables, all of them.

A change here needs a migration beside it (`migrations/versions/`); a test compares the two on both databases.
Rows that are due, leased or waiting are found by the indexes below and never by reading a whole table.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, MetaData, Table, UniqueConstraint, false, text
from sqlalchemy.dialects.postgresql import TSVECTOR

from wirewatch.store.types import COUNTING, Compressed, Json, Microseconds, Name, PlainText

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=text("0"))


def _of_article(**options: Any) -> Column[str]:
    return Column("article", PlainText, ForeignKey("articles.key"), nullable=False, **options)


def _frontier() -> tuple[Column[Any], ...]:
    """Return the columns that make a row something to be read: when, by whom, and how it went."""
    return (
        Column("host", Name, nullable=False),
        Column("due_at", Microseconds),  # null: not asked any more
        Column("start_at", Microseconds),  # the slot of the running lease
        Column("lease", PlainText),
        Column("lease_ends", Microseconds),
        _count("reads"),
        _count("failures"),  # in a row
        Column("etag", PlainText),
        Column("last_modified", PlainText),
    )


meta = Table(
    "meta",
    metadata,
    Column("key", PlainText, primary_key=True),
    Column("value", PlainText, nullable=False),
)

hosts = Table(
    "hosts",
    metadata,
    Column("host", Name, primary_key=True),
    Column("spacing_us", COUNTING),  # null: the store's default, in `meta`
    Column("next_slot", Microseconds),
    Column("blocked_until", Microseconds),
    Column("robots_origin", PlainText),
    Column("robots_status", Integer),  # null: there was no answer, and the body says why
    Column("robots_body", PlainText),
    Column("robots_fetched", Microseconds),
    Column("crawl_delay_us", COUNTING),
)

feeds = Table(
    "feeds",
    metadata,
    Column("url", PlainText, primary_key=True),
    Column("source", Json, nullable=False),
    Column("origin", PlainText, nullable=False),  # "config" or "added"
    Column("paused", Boolean, nullable=False, server_default=false()),
    *_frontier(),
    Column("polite_seconds", Integer),
    Column("gap_seconds", Integer),  # the adaptive interval in force
    Column("last_read", Microseconds),
    Column("last_success", Microseconds),
    Column("last_new", Microseconds),
    Column("last_detail", PlainText, nullable=False, server_default=text("''")),
    _count("entries_seen"),
    _count("entries_new"),
    _count("last_entry_count"),
    Index("ix_feeds_due", "due_at", "host"),
)

articles = Table(
    "articles",
    metadata,
    Column("key", PlainText, primary_key=True),
    Column("url", PlainText, nullable=False),  # the address asked next
    Column("feed", PlainText, ForeignKey("feeds.url")),
    Column("guid", PlainText),
    Column("source", Json),  # only where no feed has it
    *_frontier(),
    Column("entry_updated", Microseconds),  # the newest `updated` of its feed entry that was acted on
    Column("first_seen", Microseconds),
    Column("last_change", Microseconds),
    Column("last_read", Microseconds),
    Column("content_hash", PlainText),
    Column("text_hash", PlainText),
    Column("settled", PlainText),  # digest of the last wording observed; null while anything is in doubt
    Column("stamp", Microseconds),  # the latest modified time claimed
    Column("fingerprint", PlainText),
    Column("availability", PlainText),
    Column("availability_since", Microseconds),
    Column("last_detail", PlainText, nullable=False, server_default=text("''")),
    _count("ledger_version"),
    Column("merged_into", PlainText),
    Column("forgotten", Microseconds),  # when; of such an article nothing is taken in again
    Column("forgotten_reason", PlainText),
    Index("ix_articles_due", "due_at", "host"),
    Index("ix_articles_feed", "feed"),
    Index("ix_articles_merged_into", "merged_into"),
)

# An edge from the address asked to a name that its capture gave; undone by deleting it.
aliases = Table(
    "aliases",
    metadata,
    Column("url", Name, primary_key=True),
    Column("name", Name, primary_key=True),
    Column("kind", PlainText, nullable=False),
    Column("article", PlainText, nullable=False),
    Column("observed", Microseconds, nullable=False),
    Index("ix_aliases_name", "name"),
    Index("ix_aliases_article", "article"),
)

observations = Table(
    "observations",
    metadata,
    Column("id", COUNTING, primary_key=True),
    _of_article(),
    Column("observed", Microseconds, nullable=False),
    Column("url", PlainText, nullable=False),
    Column("seen", PlainText, nullable=False),
    Column("content_hash", PlainText),
    Column("digest", PlainText, nullable=False),
    Column("body", Json, nullable=False),  # the whole model.Observation
    UniqueConstraint("article", "digest"),
    Index("ix_observations_article_observed", "article", "observed"),
)

rereadings = Table(
    "rereadings",
    metadata,
    _of_article(primary_key=True),
    Column("content_hash", PlainText, primary_key=True),
    Column("extractor", PlainText, primary_key=True),
    Column("new_extractor", PlainText, primary_key=True),
    Column("new_content_hash", PlainText, nullable=False),
    Column("new_text_hash", PlainText, nullable=False),
)

wordings = Table(
    "wordings",
    metadata,
    _of_article(primary_key=True),
    Column("text_hash", PlainText, primary_key=True),
    Column("content_hash", PlainText, nullable=False),
    Column("wording", Json, nullable=False),
    Column("facts", Json, nullable=False),
)

revisions = Table(
    "revisions",
    metadata,
    Column("id", PlainText, primary_key=True),
    _of_article(),
    Column("version", Integer, nullable=False),
    Column("occurrence", Integer, nullable=False),
    Column("content_hash", PlainText, nullable=False),
    Column("text_hash", PlainText, nullable=False),
    Column("first_observed", Microseconds, nullable=False),
    Column("last_observed", Microseconds, nullable=False),
    Column("version_created", Microseconds, nullable=False),
    Column("first_created", Microseconds, nullable=False),
    Column("page_hash", PlainText),
    Column("body", Json, nullable=False),  # the whole model.Revision
    Index("ix_revisions_article_first_observed", "article", "first_observed"),
    Index("ix_revisions_page_hash", "page_hash"),
)

# What ties the revisions to each other; see wirewatch/chain.py. A row is never deleted and changes only when it ends.
links = Table(
    "links",
    metadata,
    Column("id", COUNTING, primary_key=True),
    _of_article(),
    Column("place", Integer, nullable=False),
    Column("revision", PlainText, nullable=False),
    Column("hash", PlainText, nullable=False),  # of `body`
    Column("body", Json, nullable=False),
    Column("recorded", Microseconds, nullable=False),
    Column("superseded", Microseconds),  # null: it stands
    Index("ix_links_article_place", "article", "place"),
    sqlite_autoincrement=True,
)

# `announced` counts how often a diff was announced or taken back; `observed` is its new revision's first_observed.
diffs = Table(
    "diffs",
    metadata,
    Column("id", PlainText, primary_key=True),
    _of_article(),
    Column("old_revision", PlainText, nullable=False),
    Column("new_revision", PlainText, nullable=False),
    Column("old_content_hash", PlainText, nullable=False),
    Column("new_content_hash", PlainText, nullable=False),
    Column("occurrence", Integer, nullable=False),
    Column("live", Boolean, nullable=False),
    _count("announced"),
    Column("digest", PlainText, nullable=False),
    Column("observed", Microseconds, nullable=False),
    Column("host", Name, nullable=False),
    Column("hunk_hash", PlainText),
    Column("diff", Json, nullable=False),
    Column("verdict", Json, nullable=False),
    Index("ix_diffs_article", "article"),
    Index("ix_diffs_observed", "observed"),
    Index("ix_diffs_host_hunk_hash", "host", "hunk_hash"),
)

# A part of a hunk is what was changed to what, wherever it stands: one change on many pages is found by its hash.
parts = Table(
    "parts",
    metadata,
    Column("diff", PlainText, ForeignKey("diffs.id"), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),  # the hunk's among the diff's, from 0
    Column("hash", PlainText, primary_key=True),
    Column("host", Name, nullable=False),
    Column("observed", Microseconds, nullable=False),  # the diff's
    Index("ix_parts_host_hash_observed", "host", "hash", "observed"),
)

# What readers are shown of a live diff that is not technical, in one row: no text has to be opened for a list.
# `place` orders by time and is never given twice; see `wirewatch/store/changes.py`.
changes = Table(
    "changes",
    metadata,
    Column("place", COUNTING, primary_key=True, autoincrement=False),
    Column("diff", PlainText, ForeignKey("diffs.id"), nullable=False, unique=True),
    _of_article(),
    Column("host", Name, nullable=False),
    Column("feed", PlainText),
    Column("publisher", PlainText),
    Column("language", PlainText),
    Column("class", PlainText, nullable=False),
    Column("disclosure", PlainText, nullable=False),
    Column("signal", PlainText, nullable=False),
    Column("delay_us", COUNTING, nullable=False),  # from the article's publication to the change
    Column("headline", PlainText),
    Column("old_headline", PlainText),
    Column("sentence", PlainText),  # null where the change was kept before there was this table
    Column("shown", Json, nullable=False),
    Column("words", Compressed().with_variant(TSVECTOR(), "postgresql")),  # SQLite finds them by `change_words`
    Index("ix_changes_article", "article"),
    Index("ix_changes_host", "host", "place"),
    Index("ix_changes_feed", "feed", "place"),
    Index("ix_changes_language", "language", "place"),
    Index("ix_changes_class", "class", "place"),
    Index("ix_changes_disclosure", "disclosure", "place"),
    Index("ix_changes_signal", "signal", "place"),
    Index("ix_changes_words", "words", postgresql_using="gin").ddl_if(dialect="postgresql"),
)

change_fields = Table(
    "change_fields",
    metadata,
    Column("field", PlainText, primary_key=True),
    Column("place", COUNTING, ForeignKey("changes.place"), primary_key=True, autoincrement=False),
    Index("ix_change_fields_place", "place"),
)

# How a feed did, day by day (whole days since 1970, UTC).
feed_days = Table(
    "feed_days",
    metadata,
    Column("feed", PlainText, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    _count("reads"),
    _count("failures"),
    _count("entries"),  # that were new
)

pages = Table(
    "pages",
    metadata,
    Column("hash", PlainText, primary_key=True),
    Column("content_type", PlainText),
    Column("size", Integer, nullable=False),
    Column("headers", Json, nullable=False),
    Column("kept", Microseconds, nullable=False),
    Column("body", Compressed, nullable=False),
)

# What was kept and is not any more, by `tidy` or `forget`: a page by its hash, a text by its article's and its own.
removed = Table(
    "removed",
    metadata,
    Column("kind", PlainText, primary_key=True),  # "page" or "text"
    Column("hash", PlainText, primary_key=True),
    Column("article", PlainText, primary_key=True),  # "" of a page, which may be of several
    Column("at", Microseconds, nullable=False),
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", Name, primary_key=True),
    Column("received", Microseconds, nullable=False),
    Column("lease", PlainText),
    Column("lease_ends", Microseconds),
    Column("capture", Compressed, nullable=False),
    Index("ix_inbox_received", "received", "lease_ends"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", COUNTING, primary_key=True),
    Column("kind", PlainText, nullable=False),  # "record" or "event"
    Column("item", PlainText, nullable=False),
    Column("article", PlainText, nullable=False),
    Column("payload", PlainText, nullable=False),  # empty: every sink has had it long ago
    Column("recorded", Microseconds, nullable=False),
    Column("backfill", Boolean, nullable=False),
    UniqueConstraint("kind", "item"),
    Index("ix_outbox_article", "article"),
    Index("ix_outbox_full", "recorded", sqlite_where=text("payload <> ''"), postgresql_where=text("payload <> ''")),
    sqlite_autoincrement=True,  # an id is never given twice
)

# The article stands here too, so that keeping its rows in order asks no other table.
deliveries = Table(
    "deliveries",
    metadata,
    Column("sink", PlainText, primary_key=True),
    Column("outbox", COUNTING, ForeignKey("outbox.id"), primary_key=True, autoincrement=False),
    Column("article", PlainText, nullable=False),
    Column("batch", PlainText),
    Column("lease", PlainText),
    Column("lease_ends", Microseconds),
    Column("delivered", Microseconds),
    _count("attempts"),
    Index(
        "ix_deliveries_waiting",
        "sink",
        "batch",
        "outbox",
        sqlite_where=text("delivered IS NULL"),
        postgresql_where=text("delivered IS NULL"),
    ),
    Index("ix_deliveries_outbox", "outbox"),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", COUNTING, primary_key=True),
    Column("at", Microseconds, nullable=False),
    Column("step", PlainText, nullable=False),
    Column("reason", PlainText, nullable=False),
    Column("url", PlainText),
    Column("sha256", PlainText),
    Column("file", PlainText),
    Column("line", Integer),
    Column("replayed", Microseconds),
    Column("capture", Compressed),
    sqlite_autoincrement=True,
)

counters = Table(
    "counters",
    metadata,
    Column("run", PlainText, primary_key=True),
    Column("what", PlainText, primary_key=True),  # "article", "feed" or "short cut"
    Column("outcome", PlainText, primary_key=True),
    _count("n"),
)

# One row for each event, rule and channel; `article` is the one that goes on, where two were joined.
alert_matches = Table(
    "alert_matches",
    metadata,
    Column("id", PlainText, primary_key=True),
    Column("article", PlainText, nullable=False),
    Column("host", Name, nullable=False),
    Column("happened", PlainText, nullable=False),
    Column("event", PlainText, nullable=False),
    Column("diff", PlainText),
    Column("hunk_hash", PlainText),
    Column("rule", PlainText, nullable=False),
    Column("channel", PlainText, nullable=False),
    Column("why", Json, nullable=False),
    Column("matched", Microseconds, nullable=False),
    Column("ripe", Microseconds, nullable=False),
    Column("state", PlainText, nullable=False),  # see wirewatch/store/alerts.py
    Column("held", Microseconds),  # when the rule's cap held it back
    Column("alert", PlainText),
    Column("retracted", PlainText),  # the event that takes it back, met while its alert was under way
    Column("follows", PlainText),  # of a follow-up: the match that it takes back
    Column("shown", Boolean, nullable=False, server_default=false()),  # its alert has it as a story, not as a number
    Index("ix_alert_matches_event", "event"),
    Index("ix_alert_matches_alert", "alert"),
    Index("ix_alert_matches_article", "article"),
    Index(
        "ix_alert_matches_waiting",
        "channel",
        "ripe",
        sqlite_where=text("state IN ('waiting', 'held')"),
        postgresql_where=text("state IN ('waiting', 'held')"),
    ),
    Index("ix_alert_matches_alike", "channel", "hunk_hash"),
)

# What a channel is told at once, kept whole before it is sent for the first time: its id never has two contents.
alerts = Table(
    "alerts",
    metadata,
    Column("id", PlainText, primary_key=True),
    Column("channel", PlainText, nullable=False),
    Column("rule", PlainText, nullable=False),  # several are divided by `, `
    Column("kind", PlainText, nullable=False),
    Column("created", Microseconds, nullable=False),
    Column("state", PlainText, nullable=False),  # "waiting", "sent" or "dead"
    Column("due", Microseconds, nullable=False),
    Column("lease", PlainText),
    Column("lease_ends", Microseconds),
    _count("attempts"),  # begun
    _count("failures"),  # ended without success
    Column("perhaps_taken", Boolean, nullable=False, server_default=false()),  # an attempt may have arrived unanswered
    Column("settled", Microseconds),  # when it was sent or given up
    Column("detail", PlainText, nullable=False, server_default=text("''")),  # what went wrong the last time
    Column("subject", PlainText, nullable=False, server_default=text("''")),  # as it was sent
    Column("body", Compressed, nullable=False),  # the whole wirewatch.alerts.model.Alert
    Index("ix_alerts_channel_created", "channel", "created"),
    Index("ix_alerts_settled", "settled"),
    Index("ix_alerts_created", "created", "id"),
    Index(
        "ix_alerts_waiting",
        "channel",
        "due",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
)

# Who forms a channel's alerts now, and whether its receiver wants none for a while or for good.
alert_channels = Table(
    "alert_channels",
    metadata,
    Column("name", PlainText, primary_key=True),
    Column("lease", PlainText),
    Column("lease_ends", Microseconds),
    Column("held_until", Microseconds),  # its receiver wants nothing before that
    Column("off_since", Microseconds),
    Column("reason", PlainText, nullable=False, server_default=text("''")),
)

# What an operator has been told, or will be if it lasts; a row ends when all is well again.
alert_conditions = Table(
    "alert_conditions",
    metadata,
    Column("name", Name, primary_key=True),
    Column("since", Microseconds, nullable=False),
    Column("told", Microseconds),
)
