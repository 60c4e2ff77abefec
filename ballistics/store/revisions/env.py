"""What Alembic runs for each command: the revisions, on the connection and in the transaction of the caller."""

from alembic import context

# Imported by anything else than Alembic, there is nothing to run.
if hasattr(context, "config"):
    context.configure(connection=context.config.attributes["connection"])
    context.run_migrations()
