"""Alerts: what a rule matched, what a channel is told, and what its operator knows."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _text() -> TypeEngine[str]:
    return sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "alert_matches",
        sa.Column("id", _text(), nullable=False),
        sa.Column("article", _text(), nullable=False),
        sa.Column("host", _text(), nullable=False),
        sa.Column("happened", _text(), nullable=False),
        sa.Column("event", _text(), nullable=False),
        sa.Column("diff", _text(), nullable=True),
        sa.Column("hunk_hash", _text(), nullable=True),
        sa.Column("rule", _text(), nullable=False),
        sa.Column("channel", _text(), nullable=False),
        sa.Column("why", _text(), nullable=False),
        sa.Column("matched", sa.BigInteger(), nullable=False),
        sa.Column("ripe", sa.BigInteger(), nullable=False),
        sa.Column("state", _text(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=True),
        sa.Column("alert", _text(), nullable=True),
        sa.Column("retracted", _text(), nullable=True),
        sa.Column("follows", _text(), nullable=True),
        sa.Column("shown", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alert_matches"),
    )
    op.create_index("ix_alert_matches_event", "alert_matches", ["event"])
    op.create_index("ix_alert_matches_alert", "alert_matches", ["alert"])
    op.create_index("ix_alert_matches_article", "alert_matches", ["article"])
    op.create_index(
        "ix_alert_matches_waiting",
        "alert_matches",
        ["channel", "ripe"],
        sqlite_where=sa.text("state IN ('waiting', 'held')"),
        postgresql_where=sa.text("state IN ('waiting', 'held')"),
    )
    op.create_index("ix_alert_matches_alike", "alert_matches", ["channel", "hunk_hash"])
    op.create_table(
        "alerts",
        sa.Column("id", _text(), nullable=False),
        sa.Column("channel", _text(), nullable=False),
        sa.Column("rule", _text(), nullable=False),
        sa.Column("kind", _text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("state", _text(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("lease", _text(), nullable=True),
        sa.Column("lease_ends", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("perhaps_taken", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("settled", sa.BigInteger(), nullable=True),
        sa.Column("detail", _text(), server_default=sa.text("''"), nullable=False),
        sa.Column("subject", _text(), server_default=sa.text("''"), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
    )
    op.create_index("ix_alerts_channel_created", "alerts", ["channel", "created"])
    op.create_index("ix_alerts_settled", "alerts", ["settled"])
    op.create_index(
        "ix_alerts_waiting",
        "alerts",
        ["channel", "due"],
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "alert_channels",
        sa.Column("name", _text(), nullable=False),
        sa.Column("lease", _text(), nullable=True),
        sa.Column("lease_ends", sa.BigInteger(), nullable=True),
        sa.Column("held_until", sa.BigInteger(), nullable=True),
        sa.Column("off_since", sa.BigInteger(), nullable=True),
        sa.Column("reason", _text(), server_default=sa.text("''"), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_alert_channels"),
    )
    op.create_table(
        "alert_conditions",
        sa.Column("name", _text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_alert_conditions"),
    )


def downgrade() -> None:
    op.drop_table("alert_conditions")
    op.drop_table("alert_channels")
    op.drop_table("alerts")
    op.drop_table("alert_matches")
