"""Marks, their templates, removals, pending deletions and seals: a library."""

import sqlalchemy as sa
from alembic import op

revision = "library_0001"
down_revision = None

_DESCRIPTION = ("calibre", "firing_pin_shape", "breech_face_type", "instrument", "ammunition", "incident", "place")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "about",
        sa.Column("key", sa.String(40), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "marks",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("identity", sa.String(64), nullable=False),
        sa.Column("mark_kind", sa.String(40), nullable=False),
        sa.Column("scan", sa.Text, nullable=False),
        sa.Column("array_sha256", sa.String(64), nullable=False, index=True),
        sa.Column("surface_kind", sa.String(20), nullable=False),
        sa.Column("spacing_um", sa.Float, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("columns", sa.Integer, nullable=False),
        sa.Column("preparation", sa.Text, nullable=False),
        sa.Column("record", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False, index=True) for name in _DESCRIPTION),
        sa.UniqueConstraint("identity", "mark_kind"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "stacks",
        sa.Column("version", sa.String(40), primary_key=True),
        sa.Column("record_bytes", sa.Integer, nullable=False),
        sa.Column("records", sa.Integer, nullable=False),
    )
    op.create_table(
        "templates",
        sa.Column("mark_id", sa.Integer, sa.ForeignKey("marks.id"), primary_key=True),
        sa.Column("version", sa.String(40), primary_key=True),
        sa.Column("slot", sa.Integer, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.UniqueConstraint("version", "slot"),
    )
    op.create_table(
        "removals",
        sa.Column("mark_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("identity", sa.String(64), nullable=False, index=True),
        sa.Column("mark_kind", sa.String(40), nullable=False),
        sa.Column("scan", sa.Text, nullable=False),
        sa.Column("array_sha256", sa.String(64), nullable=False),
        sa.Column("removed_by", sa.Text, nullable=False),
        sa.Column("removed_on", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_table(
        "deletions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("array_sha256", sa.String(64)),
        sa.Column("version", sa.String(40)),
        sa.Column("slot", sa.Integer),
    )
    op.create_table(
        "seals",
        sa.Column("kind", sa.String(10), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
