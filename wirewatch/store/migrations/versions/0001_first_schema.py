"""The first schema."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _text() -> TypeEngine[str]:
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _counting() -> TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "aliases",
        sa.Column("url", _text(), nullable=False),
        sa.Column("name", _text(), nullable=False),
        sa.Column("kind", _text(), nullable=False),
        sa.Column("article", _text(), nullable=False),
        sa.Column("observed", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("url", "name", name="pk_aliases"),
    )
    op.create_index("ix_aliases_article", "aliases", ["article"], unique=False)
    op.create_index("ix_aliases_name", "aliases", ["name"], unique=False)
    op.create_table(
        "counters",
        sa.Column("run", _text(), nullable=False),
        sa.Column("what", _text(), nullable=False),
        sa.Column("outcome", _text(), nullable=False),
        sa.Column("n", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("run", "what", "outcome", name="pk_counters"),
    )
    op.create_table(
        "dead_letters",
        sa.Column("id", _counting(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("step", _text(), nullable=False),
        sa.Column("reason", _text(), nullable=False),
        sa.Column("url", _text(), nullable=True),
        sa.Column("sha256", _text(), nullable=True),
        sa.Column("file", _text(), nullable=True),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("replayed", sa.BigInteger(), nullable=True),
        sa.Column("capture", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_dead_letters"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "feeds",
        sa.Column("url", _text(), nullable=False),
        sa.Column("source", _text(), nullable=False),
        sa.Column("origin", _text(), nullable=False),
        sa.Column("paused", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("host", _text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("start_at", sa.BigInteger(), nullable=True),
        sa.Column("lease", _text(), nullable=True),
        sa.Column("lease_ends", sa.BigInteger(), nullable=True),
        sa.Column("reads", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("etag", _text(), nullable=True),
        sa.Column("last_modified", _text(), nullable=True),
        sa.Column("polite_seconds", sa.Integer(), nullable=True),
        sa.Column("gap_seconds", sa.Integer(), nullable=True),
        sa.Column("last_read", sa.BigInteger(), nullable=True),
        sa.Column("last_success", sa.BigInteger(), nullable=True),
        sa.Column("last_new", sa.BigInteger(), nullable=True),
        sa.Column("last_detail", _text(), server_default=sa.text("''"), nullable=False),
        sa.Column("entries_seen", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("entries_new", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_entry_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("url", name="pk_feeds"),
    )
    op.create_index("ix_feeds_due", "feeds", ["due_at", "host"], unique=False)
    op.create_table(
        "hosts",
        sa.Column("host", _text(), nullable=False),
        sa.Column("spacing_us", _counting(), nullable=True),
        sa.Column("next_slot", sa.BigInteger(), nullable=True),
        sa.Column("blocked_until", sa.BigInteger(), nullable=True),
        sa.Column("robots_origin", _text(), nullable=True),
        sa.Column("robots_status", sa.Integer(), nullable=True),
        sa.Column("robots_body", _text(), nullable=True),
        sa.Column("robots_fetched", sa.BigInteger(), nullable=True),
        sa.Column("crawl_delay_us", _counting(), nullable=True),
        sa.PrimaryKeyConstraint("host", name="pk_hosts"),
    )
    op.create_table(
        "inbox",
        sa.Column("id", _text(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("lease", _text(), nullable=True),
        sa.Column("lease_ends", sa.BigInteger(), nullable=True),
        sa.Column("capture", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_inbox"),
    )
    op.create_index("ix_inbox_received", "inbox", ["received", "lease_ends"], unique=False)
    op.create_table(
        "meta",
        sa.Column("key", _text(), nullable=False),
        sa.Column("value", _text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_meta"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", _counting(), nullable=False),
        sa.Column("kind", _text(), nullable=False),
        sa.Column("item", _text(), nullable=False),
        sa.Column("article", _text(), nullable=False),
        sa.Column("payload", _text(), nullable=False),
        sa.Column("recorded", sa.BigInteger(), nullable=False),
        sa.Column("backfill", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
        sa.UniqueConstraint("kind", "item", name="uq_outbox_kind_item"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "pages",
        sa.Column("hash", _text(), nullable=False),
        sa.Column("content_type", _text(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("headers", _text(), nullable=False),
        sa.Column("kept", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_pages"),
    )
    op.create_table(
        "articles",
        sa.Column("key", _text(), nullable=False),
        sa.Column("url", _text(), nullable=False),
        sa.Column("feed", _text(), nullable=True),
        sa.Column("guid", _text(), nullable=True),
        sa.Column("source", _text(), nullable=True),
        sa.Column("host", _text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("start_at", sa.BigInteger(), nullable=True),
        sa.Column("lease", _text(), nullable=True),
        sa.Column("lease_ends", sa.BigInteger(), nullable=True),
        sa.Column("reads", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("etag", _text(), nullable=True),
        sa.Column("last_modified", _text(), nullable=True),
        sa.Column("entry_updated", sa.BigInteger(), nullable=True),
        sa.Column("first_seen", sa.BigInteger(), nullable=True),
        sa.Column("last_change", sa.BigInteger(), nullable=True),
        sa.Column("last_read", sa.BigInteger(), nullable=True),
        sa.Column("content_hash", _text(), nullable=True),
        sa.Column("text_hash", _text(), nullable=True),
        sa.Column("settled", _text(), nullable=True),
        sa.Column("stamp", sa.BigInteger(), nullable=True),
        sa.Column("fingerprint", _text(), nullable=True),
        sa.Column("availability", _text(), nullable=True),
        sa.Column("availability_since", sa.BigInteger(), nullable=True),
        sa.Column("last_detail", _text(), server_default=sa.text("''"), nullable=False),
        sa.Column("ledger_version", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("merged_into", _text(), nullable=True),
        sa.ForeignKeyConstraint(["feed"], ["feeds.url"], name="fk_articles_feed"),
        sa.PrimaryKeyConstraint("key", name="pk_articles"),
    )
    op.create_index("ix_articles_due", "articles", ["due_at", "host"], unique=False)
    op.create_index("ix_articles_feed", "articles", ["feed"], unique=False)
    op.create_index("ix_articles_merged_into", "articles", ["merged_into"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("sink", _text(), nullable=False),
        sa.Column("outbox", _counting(), autoincrement=False, nullable=False),
        sa.Column("article", _text(), nullable=False),
        sa.Column("batch", _text(), nullable=True),
        sa.Column("lease", _text(), nullable=True),
        sa.Column("lease_ends", sa.BigInteger(), nullable=True),
        sa.Column("delivered", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(["outbox"], ["outbox.id"], name="fk_deliveries_outbox"),
        sa.PrimaryKeyConstraint("sink", "outbox", name="pk_deliveries"),
    )
    op.create_index(
        "ix_deliveries_waiting",
        "deliveries",
        ["sink", "batch", "outbox"],
        unique=False,
        sqlite_where=sa.text("delivered IS NULL"),
        postgresql_where=sa.text("delivered IS NULL"),
    )
    op.create_table(
        "diffs",
        sa.Column("id", _text(), nullable=False),
        sa.Column("article", _text(), nullable=False),
        sa.Column("old_revision", _text(), nullable=False),
        sa.Column("new_revision", _text(), nullable=False),
        sa.Column("old_content_hash", _text(), nullable=False),
        sa.Column("new_content_hash", _text(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("announced", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("digest", _text(), nullable=False),
        sa.Column("observed", sa.BigInteger(), nullable=False),
        sa.Column("host", _text(), nullable=False),
        sa.Column("hunk_hash", _text(), nullable=True),
        sa.Column("diff", _text(), nullable=False),
        sa.Column("verdict", _text(), nullable=False),
        sa.ForeignKeyConstraint(["article"], ["articles.key"], name="fk_diffs_article"),
        sa.PrimaryKeyConstraint("id", name="pk_diffs"),
    )
    op.create_index("ix_diffs_article", "diffs", ["article"], unique=False)
    op.create_index("ix_diffs_host_hunk_hash", "diffs", ["host", "hunk_hash"], unique=False)
    op.create_index("ix_diffs_observed", "diffs", ["observed"], unique=False)
    op.create_table(
        "observations",
        sa.Column("id", _counting(), nullable=False),
        sa.Column("article", _text(), nullable=False),
        sa.Column("observed", sa.BigInteger(), nullable=False),
        sa.Column("url", _text(), nullable=False),
        sa.Column("seen", _text(), nullable=False),
        sa.Column("content_hash", _text(), nullable=True),
        sa.Column("digest", _text(), nullable=False),
        sa.Column("body", _text(), nullable=False),
        sa.ForeignKeyConstraint(["article"], ["articles.key"], name="fk_observations_article"),
        sa.PrimaryKeyConstraint("id", name="pk_observations"),
        sa.UniqueConstraint("article", "digest", name="uq_observations_article_digest"),
    )
    op.create_index("ix_observations_article_observed", "observations", ["article", "observed"], unique=False)
    op.create_table(
        "rereadings",
        sa.Column("article", _text(), nullable=False),
        sa.Column("content_hash", _text(), nullable=False),
        sa.Column("extractor", _text(), nullable=False),
        sa.Column("new_extractor", _text(), nullable=False),
        sa.Column("new_content_hash", _text(), nullable=False),
        sa.Column("new_text_hash", _text(), nullable=False),
        sa.ForeignKeyConstraint(["article"], ["articles.key"], name="fk_rereadings_article"),
        sa.PrimaryKeyConstraint("article", "content_hash", "extractor", "new_extractor", name="pk_rereadings"),
    )
    op.create_table(
        "revisions",
        sa.Column("id", _text(), nullable=False),
        sa.Column("article", _text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("occurrence", sa.Integer(), nullable=False),
        sa.Column("content_hash", _text(), nullable=False),
        sa.Column("text_hash", _text(), nullable=False),
        sa.Column("first_observed", sa.BigInteger(), nullable=False),
        sa.Column("last_observed", sa.BigInteger(), nullable=False),
        sa.Column("version_created", sa.BigInteger(), nullable=False),
        sa.Column("first_created", sa.BigInteger(), nullable=False),
        sa.Column("body", _text(), nullable=False),
        sa.ForeignKeyConstraint(["article"], ["articles.key"], name="fk_revisions_article"),
        sa.PrimaryKeyConstraint("id", name="pk_revisions"),
    )
    op.create_index("ix_revisions_article_first_observed", "revisions", ["article", "first_observed"], unique=False)
    op.create_table(
        "wordings",
        sa.Column("article", _text(), nullable=False),
        sa.Column("text_hash", _text(), nullable=False),
        sa.Column("content_hash", _text(), nullable=False),
        sa.Column("wording", _text(), nullable=False),
        sa.Column("facts", _text(), nullable=False),
        sa.ForeignKeyConstraint(["article"], ["articles.key"], name="fk_wordings_article"),
        sa.PrimaryKeyConstraint("article", "text_hash", name="pk_wordings"),
    )


def downgrade() -> None:
    op.drop_table("wordings")
    op.drop_table("revisions")
    op.drop_table("rereadings")
    op.drop_table("observations")
    op.drop_table("diffs")
    op.drop_table("deliveries")
    op.drop_table("articles")
    op.drop_table("pages")
    op.drop_table("outbox")
    op.drop_table("meta")
    op.drop_table("inbox")
    op.drop_table("hosts")
    op.drop_table("feeds")
    op.drop_table("dead_letters")
    op.drop_table("counters")
    op.drop_table("aliases")
