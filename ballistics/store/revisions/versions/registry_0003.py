"""The registry of firearms: records, serials, events, procedures, transfers of arms, leads."""

import sqlalchemy as sa
from alembic import op

revision = "registry_0003"
down_revision = "records_0002"


def upgrade() -> None:
    """Make the tables."""
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "registry_about",
        sa.Column("key", sa.String(40), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "registry_names",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("written", key, nullable=False),
        sa.Column("key", key, nullable=False),
        sa.UniqueConstraint("kind", "written"),
    )
    op.create_table(
        "registry_firearms",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("source", key, nullable=False),
        sa.Column("source_key", key, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("import_id", sa.String(64), nullable=False),
        sa.Column("make", sa.Integer, nullable=False),
        sa.Column("model", sa.Integer, nullable=False),
        sa.Column("calibre", sa.Integer, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.UniqueConstraint("source", "source_key"),
    )
    op.create_table(
        "registry_serials",
        sa.Column("firearm", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("component", sa.Text, nullable=False),
        sa.Column("written", sa.Text, nullable=False),
        sa.Column("key", key, nullable=False),
        sa.Column("reversed", key, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "registry_revisions",
        sa.Column("firearm", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("import_id", sa.String(64), nullable=False),
        sa.Column("replaced_on", sa.String(32), nullable=False),
    )
    op.create_table(
        "registry_events",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("firearm", sa.Integer, sa.ForeignKey("registry_firearms.id"), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("on", sa.String(10), nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("supersedes", sa.Integer, sa.ForeignKey("registry_events.id"), unique=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("recorded_on", sa.String(32), nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False),
        sa.UniqueConstraint("firearm", "digest"),
    )
    op.create_table(
        "registry_steps",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("event", sa.Integer, sa.ForeignKey("registry_events.id"), nullable=False, index=True),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("on", sa.String(10), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("version", sa.String(40), nullable=False),
        sa.Column("recorded_on", sa.String(32), nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False),
    )
    op.create_table(
        "registry_transfers",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("licence", key, nullable=False, index=True),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("supersedes", sa.Integer, sa.ForeignKey("registry_transfers.id"), unique=True),
        sa.Column("recorded_on", sa.String(32), nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False),
    )
    op.create_table(
        "registry_leads",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("lead_class", sa.String(40), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("recorded_on", sa.String(32), nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False),
    )
    op.create_table(
        "registry_lead_steps",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("lead", sa.Integer, sa.ForeignKey("registry_leads.id"), nullable=False, index=True),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("on", sa.String(10), nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("recorded_on", sa.String(32), nullable=False),
    )
    op.create_index("registry_names_key", "registry_names", ["kind", "key"])
    op.create_index("registry_firearms_names", "registry_firearms", ["make", "model"])
    op.create_index("registry_serials_key", "registry_serials", ["key"])
    op.create_index("registry_serials_reversed", "registry_serials", ["reversed"])
