"""The signed log of a laboratory."""

import sqlalchemy as sa
from alembic import op

revision = "records_0002"
down_revision = "library_0001"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "entries",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(40), nullable=False, index=True),
        sa.Column("record", sa.String(200), nullable=False, index=True),
        sa.Column("case_id", sa.String(200), nullable=False, index=True),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("signature", sa.String(128), nullable=False),
    )
