"""Keep the chain of each article's revisions, what was removed and what is forgotten.

Revisions that were kept before get their links too. How a link is made is written out here once more: the program's own
way may change, and what was once migrated may not.
"""

import hashlib
import json
import time
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_AT_ONCE = 500  # articles


def _text() -> TypeEngine[str]:
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _counting() -> TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("articles", sa.Column("forgotten", sa.BigInteger(), nullable=True))
    op.add_column("articles", sa.Column("forgotten_reason", _text(), nullable=True))
    op.add_column("revisions", sa.Column("page_hash", _text(), nullable=True))
    conn = op.get_bind()
    sqlite = conn.dialect.name == "sqlite"
    page_hash = "json_extract(body, '$.page_hash')" if sqlite else "body::json ->> 'page_hash'"
    conn.execute(sa.text(f"UPDATE revisions SET page_hash = {page_hash}"))  # noqa: S608 (one of two constants)
    op.create_index("ix_revisions_page_hash", "revisions", ["page_hash"])
    op.create_table(
        "removed",
        sa.Column("kind", _text(), nullable=False),
        sa.Column("hash", _text(), nullable=False),
        sa.Column("article", _text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "hash", "article", name="pk_removed"),
    )
    links = op.create_table(
        "links",
        sa.Column("id", _counting(), nullable=False),
        sa.Column("article", _text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("revision", _text(), nullable=False),
        sa.Column("hash", _text(), nullable=False),
        sa.Column("body", _text(), nullable=False),
        sa.Column("recorded", sa.BigInteger(), nullable=False),
        sa.Column("superseded", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["article"], ["articles.key"], name="fk_links_article"),
        sa.PrimaryKeyConstraint("id", name="pk_links"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_links_article_place", "links", ["article", "place"])
    _link(conn, links)


def downgrade() -> None:
    op.drop_index("ix_links_article_place", table_name="links")
    op.drop_table("links")
    op.drop_table("removed")
    op.drop_index("ix_revisions_page_hash", table_name="revisions")
    with op.batch_alter_table("revisions") as table:
        table.drop_column("page_hash")
    with op.batch_alter_table("articles") as table:
        table.drop_column("forgotten_reason")
        table.drop_column("forgotten")


def _link(conn: Any, links: Any) -> None:
    names = ("id", "article", "version", "page_hash", "body")
    revisions = sa.table("revisions", *(sa.column(name) for name in names))
    pages = sa.table("pages", sa.column("hash"), sa.column("headers"))
    query = sa.select(revisions.c.article, revisions.c.body, pages.c.headers).select_from(
        revisions.outerjoin(pages, pages.c.hash == revisions.c.page_hash)
    )
    recorded, last = int(time.time() * 1_000_000), ""  # noqa: TID251 (a migration has no clock)
    some = sa.select(revisions.c.article).distinct().order_by(revisions.c.article).limit(_AT_ONCE)
    while keys := conn.scalars(some.where(revisions.c.article > last)).all():
        rows: list[dict[str, Any]] = []
        for one in conn.execute(
            query.where(revisions.c.article.in_(keys)).order_by(revisions.c.article, revisions.c.version)
        ):
            before = rows[-1] if rows and rows[-1]["article"] == one.article else None
            rows.append(_row(json.loads(one.body), one.headers, before, recorded))
        conn.execute(links.insert(), rows)
        last = keys[-1]


def _row(said: dict[str, Any], headers: str | None, before: dict[str, Any] | None, recorded: int) -> dict[str, Any]:
    link = {
        "article": said["article"],
        "before": before["hash"] if before else None,
        "content_hash": said["content_hash"],
        "first_created": _time(said["first_created"]),
        "first_observed": _time(said["first_observed"]),
        "headers": None if headers is None else json.loads(headers),
        "page_hash": said.get("page_hash"),
        "previous": before["revision"] if before else None,
        "revision": said["id"],
        "text_hash": said["text_hash"],
        "url": said["url"],
        "version_created": _time(said["version_created"]),
    }
    body = json.dumps(link, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return {
        "article": said["article"],
        "place": before["place"] + 1 if before else 1,
        "revision": said["id"],
        "hash": hashlib.sha256(body.encode()).hexdigest(),
        "body": body,
        "recorded": recorded,
    }


def _time(text: str) -> str:
    at = datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)
    return f"{at.isoformat(timespec='microseconds')}Z"
