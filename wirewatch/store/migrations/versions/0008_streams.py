"""Find what of the outbox every sink has had."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_outbox_full",
        "outbox",
        ["recorded"],
        unique=False,
        sqlite_where=sa.text("payload <> ''"),
        postgresql_where=sa.text("payload <> ''"),
    )
    op.create_index("ix_deliveries_outbox", "deliveries", ["outbox"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_deliveries_outbox", table_name="deliveries")
    op.drop_index("ix_outbox_full", table_name="outbox")
