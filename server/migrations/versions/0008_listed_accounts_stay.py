"""An account that has asked to be listed does not go while its row in the directory's room is there.

Knows: the table as it was on this day; it never changes again. Refuses to know: the models of today.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("professionals") as table:
        table.drop_constraint("fk_professionals_account", type_="foreignkey")
        table.create_foreign_key("fk_professionals_account", "accounts", ["account"], ["account"])
