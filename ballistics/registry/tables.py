"""The tables of a registry. A change here needs a revision in `ballistics/store/revisions`."""

from __future__ import annotations

import sqlalchemy as sa

TABLES = sa.MetaData()
# Text that is compared and sorted byte by byte on every server, so that results and ranges are the same.
_KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

about = sa.Table(
    "registry_about",
    TABLES,
    sa.Column("key", sa.String(40), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
names = sa.Table(
    "registry_names",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("written", _KEY, nullable=False),
    sa.Column("key", _KEY, nullable=False),
    sa.UniqueConstraint("kind", "written"),
    sa.Index("registry_names_key", "kind", "key"),
)
firearms = sa.Table(
    "registry_firearms",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    # Who keeps the record, and its number there: a later import of the same record is known by them.
    sa.Column("source", _KEY, nullable=False),
    sa.Column("source_key", _KEY, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("import_id", sa.String(64), nullable=False),
    sa.Column("make", sa.Integer, nullable=False),
    sa.Column("model", sa.Integer, nullable=False),
    sa.Column("calibre", sa.Integer, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.UniqueConstraint("source", "source_key"),
    sa.Index("registry_firearms_names", "make", "model"),
)
serials = sa.Table(
    "registry_serials",
    TABLES,
    sa.Column("firearm", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    # Empty for the serial of the firearm itself.
    sa.Column("component", sa.Text, nullable=False),
    sa.Column("written", sa.Text, nullable=False),
    sa.Column("key", _KEY, nullable=False),
    sa.Column("reversed", _KEY, nullable=False),
    sa.Index("registry_serials_key", "key"),
    sa.Index("registry_serials_reversed", "reversed"),
    sqlite_with_rowid=False,
)
# What a record said before it was changed by a later import.
revisions = sa.Table(
    "registry_revisions",
    TABLES,
    sa.Column("firearm", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("import_id", sa.String(64), nullable=False),
    sa.Column("replaced_on", sa.String(32), nullable=False),
)
events = sa.Table(
    "registry_events",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    # Found by the constraint below, which begins with it.
    sa.Column("firearm", sa.Integer, sa.ForeignKey("registry_firearms.id"), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("on", sa.String(10), nullable=False),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    # An event is corrected once; the correction can be corrected in its turn.
    sa.Column("supersedes", sa.Integer, sa.ForeignKey("registry_events.id"), unique=True),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("recorded_on", sa.String(32), nullable=False),
    sa.Column("recorded_by", sa.Text, nullable=False),
    sa.UniqueConstraint("firearm", "digest"),
)
# The procedure that follows when a firearm was reported stolen, lost or found; the last step is its state.
steps = sa.Table(
    "registry_steps",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    # The event that began the procedure.
    sa.Column("event", sa.Integer, sa.ForeignKey("registry_events.id"), nullable=False, index=True),
    sa.Column("state", sa.String(40), nullable=False),
    sa.Column("on", sa.String(10), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    # Of the file that defines the procedure.
    sa.Column("version", sa.String(40), nullable=False),
    sa.Column("recorded_on", sa.String(32), nullable=False),
    sa.Column("recorded_by", sa.Text, nullable=False),
)
# Licences for transfers of arms, and what was delivered under them.
transfers = sa.Table(
    "registry_transfers",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("licence", _KEY, nullable=False, index=True),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("supersedes", sa.Integer, sa.ForeignKey("registry_transfers.id"), unique=True),
    sa.Column("recorded_on", sa.String(32), nullable=False),
    sa.Column("recorded_by", sa.Text, nullable=False),
)
leads = sa.Table(
    "registry_leads",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("lead_class", sa.String(40), nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("recorded_on", sa.String(32), nullable=False),
    sa.Column("recorded_by", sa.Text, nullable=False),
)
# What became of a lead; the last step is its state.
lead_steps = sa.Table(
    "registry_lead_steps",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("lead", sa.Integer, sa.ForeignKey("registry_leads.id"), nullable=False, index=True),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("on", sa.String(10), nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("recorded_on", sa.String(32), nullable=False),
)
