"""What Alembic runs for every migration; the connection is handed in by `storage/metadata/migrate.py`."""

from alembic import context

from portside.storage.metadata.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
