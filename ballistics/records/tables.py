"""The table of the log. A change here needs a revision in `ballistics/store/revisions`."""

from __future__ import annotations

import sqlalchemy as sa

TABLES = sa.MetaData()

entries = sa.Table(
    "entries",
    TABLES,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    # The next three repeat what `content` says, to be searched by.
    sa.Column("kind", sa.String(40), nullable=False, index=True),
    sa.Column("record", sa.String(200), nullable=False, index=True),
    sa.Column("case_id", sa.String(200), nullable=False, index=True),
    # Canonical JSON (RFC 8785); what is hashed, and by its hash signed.
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
    sa.Column("signature", sa.String(128), nullable=False),
)
