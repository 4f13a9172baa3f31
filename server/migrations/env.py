"""Run by alembic for each command, on the connection that the caller opened.

Knows: every table. Refuses to know: how to connect.
"""

from alembic import context

import server.accounts.models
import server.boxes.models
import server.directory.models
import server.guesses.models
import server.items.models
import server.ledger.models
import server.limits
import server.recovery.models
import server.shares.models
import server.uploads.models  # noqa: F401
from server.database import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
