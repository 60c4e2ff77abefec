"""The revisions of the database's tables, run by Alembic."""
