"""What lists, filters and searches of changes are read from, and how each feed did day by day.

Changes that were kept before get their rows too, without the sentence, which is made when somebody looks. How a text
is divided into words is written out here once more: what was once migrated may not change.
"""

import json
import re
import unicodedata
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
import zstandard
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.types import TypeEngine

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_AT_ONCE = 500
_FILTERS = ("host", "feed", "language", "class", "disclosure", "signal")
_FIELDS = ("headline", "standfirst", "byline", "section", "dateline", "body", "caption", "credit", "correction")
_SPACELESS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_NOT_PLAIN = re.compile("[^\x00-\x7f]")
_WORD = re.compile(rf"[{_SPACELESS}]|(?:[^\W_{_SPACELESS}]|[\u0900-\u0963\u0966-\u0dff])+")
_LEFT_OUT = re.compile("[\u0300-\u036f\u0591-\u05bd\u0610-\u061a\u0640\u064b-\u065f\u0670]")


def _text() -> TypeEngine[str]:
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _counting() -> TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "changes",
        sa.Column("place", _counting(), autoincrement=False, nullable=False),
        sa.Column("diff", _text(), nullable=False),
        sa.Column("article", _text(), nullable=False),
        sa.Column("host", _text(), nullable=False),
        sa.Column("feed", _text(), nullable=True),
        sa.Column("publisher", _text(), nullable=True),
        sa.Column("language", _text(), nullable=True),
        sa.Column("class", _text(), nullable=False),
        sa.Column("disclosure", _text(), nullable=False),
        sa.Column("signal", _text(), nullable=False),
        sa.Column("delay_us", _counting(), nullable=False),
        sa.Column("headline", _text(), nullable=True),
        sa.Column("old_headline", _text(), nullable=True),
        sa.Column("sentence", _text(), nullable=True),
        sa.Column("shown", _text(), nullable=False),
        sa.Column("words", sa.LargeBinary().with_variant(TSVECTOR(), "postgresql"), nullable=True),
        sa.ForeignKeyConstraint(["article"], ["articles.key"], name="fk_changes_article"),
        sa.ForeignKeyConstraint(["diff"], ["diffs.id"], name="fk_changes_diff"),
        sa.PrimaryKeyConstraint("place", name="pk_changes"),
        sa.UniqueConstraint("diff", name="uq_changes_diff"),
    )
    op.create_table(
        "change_fields",
        sa.Column("field", _text(), nullable=False),
        sa.Column("place", _counting(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["place"], ["changes.place"], name="fk_change_fields_place"),
        sa.PrimaryKeyConstraint("field", "place", name="pk_change_fields"),
    )
    op.create_table(
        "feed_days",
        sa.Column("feed", _text(), nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reads", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("entries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("feed", "day", name="pk_feed_days"),
    )
    conn = op.get_bind()
    if conn.dialect.name == "sqlite":
        # Without the texts themselves: what is needed to take one out again lies compressed in `changes`.
        conn.exec_driver_sql(
            "CREATE VIRTUAL TABLE change_words USING fts5(words, content='',"
            " tokenize=\"unicode61 remove_diacritics 0 categories 'L* N* Co Mn Mc'\")"
        )
    _fill(conn)
    op.create_index("ix_changes_article", "changes", ["article"])
    for column in _FILTERS:
        op.create_index(f"ix_changes_{column}", "changes", [column, "place"])
    op.create_index("ix_change_fields_place", "change_fields", ["place"])
    op.create_index("ix_alerts_created", "alerts", ["created", "id"])
    if conn.dialect.name == "postgresql":
        op.create_index("ix_changes_words", "changes", ["words"], postgresql_using="gin")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.drop_table("change_words")
    op.drop_index("ix_alerts_created", table_name="alerts")
    op.drop_table("feed_days")
    op.drop_table("change_fields")
    op.drop_table("changes")


_LIVE = sa.text(
    """
    SELECT d.id, d.observed, d.article, d.diff, d.verdict, d.old_revision, d.new_revision,
           n.body AS new_body, n.first_created, n.first_observed,
           ow.wording AS old_wording, nw.wording AS new_wording, nw.facts, a.feed, a.source, f.source AS feed_source
    FROM diffs AS d
    JOIN revisions AS o ON o.id = d.old_revision
    JOIN revisions AS n ON n.id = d.new_revision
    JOIN wordings AS ow ON ow.article = o.article AND ow.text_hash = o.text_hash
    JOIN wordings AS nw ON nw.article = n.article AND nw.text_hash = n.text_hash
    JOIN articles AS a ON a.key = d.article
    LEFT JOIN feeds AS f ON f.url = a.feed
    WHERE d.live AND d.id > :last
    ORDER BY d.id
    LIMIT :most
    """
)


def _fill(conn: Any) -> None:
    names = ["place", "diff", "article", "host", "feed", "publisher", "language", "class", "disclosure", "signal"]
    names += ["delay_us", "headline", "old_headline", "shown"]
    changes = sa.table("changes", *(sa.column(name) for name in names))
    fields = sa.table("change_fields", sa.column("field"), sa.column("place"))
    taken: set[int] = set()
    last = ""
    while kept := conn.execute(_LIVE, {"last": last, "most": _AT_ONCE}).all():
        last = kept[-1].id
        told = [one for one in kept if not json.loads(one.new_body).get("technical")]
        rows = [_row(one, _place(one, taken)) for one in told]
        if not rows:
            continue
        conn.execute(changes.insert(), rows)
        changed = [(row["place"], json.loads(row["shown"])["fields"]) for row in rows]
        conn.execute(fields.insert(), [{"field": name, "place": place} for place, all_ in changed for name in all_])
        found = [{"p": row["place"], "w": _words(one)} for row, one in zip(rows, told, strict=True)]
        if conn.dialect.name == "sqlite":
            conn.execute(sa.text("INSERT INTO change_words (rowid, words) VALUES (:p, :w)"), found)
            packed = [{"p": one["p"], "w": zstandard.compress(one["w"].encode())} for one in found]
            conn.execute(sa.text("UPDATE changes SET words = :w WHERE place = :p"), packed)
        else:
            conn.execute(sa.text("UPDATE changes SET words = to_tsvector('simple', :w) WHERE place = :p"), found)


def _place(one: Any, taken: set[int]) -> int:
    place = one.observed * 2048 + int(one.id[:4], 16) % 1024
    while place in taken:
        place += 1
    taken.add(place)
    return int(place)


def _row(one: Any, place: int) -> dict[str, Any]:
    diff, verdict, facts = json.loads(one.diff), json.loads(one.verdict), json.loads(one.facts)
    source = json.loads(one.source or one.feed_source or "{}")
    old, new = json.loads(one.old_wording), json.loads(one.new_wording)
    hunks, reasons = diff["hunks"], verdict.get("reasons", [])
    changed = {hunk["field"] for hunk in hunks}
    shown = {
        "hunks": [_cut_hunk(hunk) for hunk in hunks[:6]],
        "hunk_count": len(hunks),
        "reasons": [{**r, **{k: _cut(r[k], 300) for k in ("old", "new") if r.get(k)}} for r in reasons[:8]],
        "fields": [name for name in _FIELDS if name in changed],
        **{name: diff[name] for name in ("words_added", "words_removed", "similarity")},
        "score": verdict["score"],
        "old_revision": one.old_revision,
        "new_revision": one.new_revision,
    }
    return {
        "place": place,
        "diff": one.id,
        "article": one.article,
        "host": urlsplit(json.loads(one.new_body)["url"]).netloc,
        "feed": one.feed,
        "publisher": _cut(source.get("publisher") or facts.get("publisher"), 150),
        "language": _cut(facts.get("language") or source.get("language"), 44),
        "class": verdict["significance_class"],
        "disclosure": verdict["disclosure"],
        "signal": verdict["signal"],
        "delay_us": one.first_observed - one.first_created,
        "headline": _cut(new.get("headline"), 500),
        "old_headline": _cut(old.get("headline"), 500),
        "shown": json.dumps(shown, sort_keys=True, ensure_ascii=False, separators=(",", ":")),
    }


def _words(one: Any) -> str:
    new, hunks = json.loads(one.new_wording), json.loads(one.diff)["hunks"]
    removed = [hunk["old"]["exact"] for hunk in hunks if hunk["old"]["exact"] and hunk.get("move") is None]
    text = "\n".join((*(new[f] for f in _FIELDS if new.get(f) and f != "body"), *removed, new.get("body") or ""))
    plain = _NOT_PLAIN.sub(lambda match: _plain(match[0]), text[:200_000]).lower()
    return " ".join(word[:64] for word in _WORD.findall(plain))


def _plain(one: str) -> str:
    hangul = "\uac00" <= one <= "\ud7a3"
    return _LEFT_OUT.sub("", one if hangul else unicodedata.normalize("NFKD", one)).casefold()


def _cut_hunk(hunk: dict[str, Any]) -> dict[str, Any]:
    return {**hunk, **{side: {**hunk[side], "exact": _cut(hunk[side]["exact"], 300)} for side in ("old", "new")}}


def _cut(text: str | None, most: int) -> str | None:
    return text if text is None or len(text) <= most else f"{text[: most - 1]}…"
