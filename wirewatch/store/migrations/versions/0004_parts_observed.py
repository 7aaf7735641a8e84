"""Keep with each part of a change when it was seen, so that a line all pages of a host share is found by index."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("parts", sa.Column("observed", sa.BigInteger(), nullable=True))
    parts = sa.table("parts", sa.column("diff"), sa.column("observed"))
    diffs = sa.table("diffs", sa.column("id"), sa.column("observed"))
    when = sa.select(diffs.c.observed).where(diffs.c.id == parts.c.diff).scalar_subquery()
    op.execute(sa.update(parts).values(observed=when))
    op.drop_index("ix_parts_host_hash", table_name="parts")
    with op.batch_alter_table("parts") as table:
        table.alter_column("observed", existing_type=sa.BigInteger(), nullable=False)
    op.create_index("ix_parts_host_hash_observed", "parts", ["host", "hash", "observed"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_parts_host_hash_observed", table_name="parts")
    with op.batch_alter_table("parts") as table:
        table.drop_column("observed")
    op.create_index("ix_parts_host_hash", "parts", ["host", "hash"], unique=False)
