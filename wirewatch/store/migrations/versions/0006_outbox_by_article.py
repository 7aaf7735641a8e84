"""Find an article's messages in the outbox without reading all of it, as exports and forgetting do."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_outbox_article", "outbox", ["article"])


def downgrade() -> None:
    op.drop_index("ix_outbox_article", table_name="outbox")
