"""The tables of a library. A change here needs a revision in `ballistics/store/revisions`, which makes them."""

from __future__ import annotations

import sqlalchemy as sa

from ballistics.store import ABOUT

TABLES = sa.MetaData()

about = sa.Table(
    ABOUT,
    TABLES,
    sa.Column("key", sa.String(40), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
marks = sa.Table(
    "marks",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    # SHA-256 of the scan's file; of the mark's heights when the mark came from no file.
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
    *(
        sa.Column(name, sa.Text, nullable=False, index=True)
        for name in (
            "calibre",
            "firing_pin_shape",
            "breech_face_type",
            "instrument",
            "ammunition",
            "incident",
            "place",
        )
    ),
    sa.UniqueConstraint("identity", "mark_kind"),
    # The number of a removed mark is never given to another one.
    sqlite_autoincrement=True,
)
stacks = sa.Table(
    "stacks",
    TABLES,
    sa.Column("version", sa.String(40), primary_key=True),
    sa.Column("record_bytes", sa.Integer, nullable=False),
    sa.Column("records", sa.Integer, nullable=False),
)
templates = sa.Table(
    "templates",
    TABLES,
    sa.Column("mark_id", sa.Integer, sa.ForeignKey("marks.id"), primary_key=True),
    sa.Column("version", sa.String(40), primary_key=True),
    sa.Column("slot", sa.Integer, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.UniqueConstraint("version", "slot"),
)
removals = sa.Table(
    "removals",
    TABLES,
    sa.Column("mark_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("identity", sa.String(64), nullable=False, index=True),
    sa.Column("mark_kind", sa.String(40), nullable=False),
    sa.Column("scan", sa.Text, nullable=False),
    sa.Column("array_sha256", sa.String(64), nullable=False),
    sa.Column("removed_by", sa.Text, nullable=False),
    sa.Column("removed_on", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)
# What must go from the disk. Written in the transaction that no longer needs it, so that a stop in between loses
# neither the mark nor the order to delete it.
deletions = sa.Table(
    "deletions",
    TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("array_sha256", sa.String(64)),
    sa.Column("version", sa.String(40)),
    sa.Column("slot", sa.Integer),
)
# SHA-256 of the rows above as this program wrote them; absent in libraries of earlier versions until they are written.
seals = sa.Table(
    "seals",
    TABLES,
    sa.Column("kind", sa.String(10), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("sha256", sa.String(64), nullable=False),
)
