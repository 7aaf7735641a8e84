"""Keep a hash of each part of a change, so that a line that changed on a whole site is found beside other changes.

Diffs that were kept before get theirs too. How a part is hashed is written out here once more: the program's own way
may change, and what was once migrated may not.
"""

import hashlib
import json
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_MOST_PARTS = 500
_TELLING = 24
_AT_ONCE = 1_000


def _text() -> TypeEngine[str]:
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    parts = op.create_table(
        "parts",
        sa.Column("diff", _text(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", _text(), nullable=False),
        sa.Column("host", _text(), nullable=False),
        sa.ForeignKeyConstraint(["diff"], ["diffs.id"], name="fk_parts_diff"),
        sa.PrimaryKeyConstraint("diff", "place", "hash", name="pk_parts"),
    )
    op.create_index("ix_parts_host_hash", "parts", ["host", "hash"], unique=False)
    diffs = sa.table("diffs", sa.column("id"), sa.column("host"), sa.column("diff"))
    conn, last = op.get_bind(), ""
    while kept := conn.execute(sa.select(diffs).where(diffs.c.id > last).order_by(diffs.c.id).limit(_AT_ONCE)).all():
        rows = [
            {"diff": one.id, "place": place, "hash": hashed, "host": one.host}
            for one in kept
            for place, hashes in enumerate(_hashes(json.loads(one.diff)["hunks"]))
            for hashed in hashes
        ]
        if rows:
            conn.execute(parts.insert(), rows)
        last = kept[-1].id


def downgrade() -> None:
    op.drop_index("ix_parts_host_hash", table_name="parts")
    op.drop_table("parts")


def _hashes(hunks: list[dict[str, Any]]) -> list[list[str]]:
    found = [list(dict.fromkeys(_hash(part) for part in _parts(hunk))) for hunk in hunks]
    return found if sum(map(len, found)) <= _MOST_PARTS else []


def _parts(hunk: dict[str, Any]) -> list[list[str]]:
    old, new = hunk["old"], hunk["new"]
    before, after = _spaced(new["prefix"].rpartition("\n")[2]), _spaced(new["suffix"].partition("\n")[0])
    lines = new["exact"].split("\n") if hunk["op"] == "insert" else old["exact"].split("\n")
    if hunk["op"] == "replace" or len(lines) == 1:
        return [_part(hunk["field"], _spaced(old["exact"]), _spaced(new["exact"]), before, after)]
    ends = {0: (before, ""), len(lines) - 1: ("", after)}
    sides = [("", _spaced(line)) if hunk["op"] == "insert" else (_spaced(line), "") for line in lines]
    found = [_part(hunk["field"], *two, *ends.get(n, ("", ""))) for n, two in enumerate(sides) if any(two)]
    return found or [[hunk["field"]]]


def _part(field: str, old: str, new: str, before: str, after: str) -> list[str]:
    telling = sum(map(str.isalnum, old)) + sum(map(str.isalnum, new)) >= _TELLING
    return [field, old, new, *(() if telling else (before, after))]


def _hash(part: list[str]) -> str:
    return hashlib.sha256(json.dumps(part, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()[:32]


def _spaced(text: str) -> str:
    return " ".join(text.split())
