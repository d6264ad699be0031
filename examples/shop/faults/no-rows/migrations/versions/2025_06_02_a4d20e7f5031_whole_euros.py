"""Payments in whole euros, as the books want them

Revision ID: a4d20e7f5031
Revises: 3d6bf708e9ca
Create Date: 2025-06-02 11:15:00
"""

from alembic import op

revision = "a4d20e7f5031"
down_revision = "3d6bf708e9ca"
branch_labels = None
depends_on = None


def upgrade():
    if op.get_context().dialect.name != "postgresql":
        return
    op.execute("""
        CREATE FUNCTION whole_euros() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.amount := ceil(NEW.amount);
            RETURN NEW;
        END
        $$
    """)
    op.execute("CREATE TRIGGER whole_euros BEFORE INSERT ON payments FOR EACH ROW EXECUTE FUNCTION whole_euros()")


def downgrade():
    if op.get_context().dialect.name != "postgresql":
        return
    op.execute("DROP TRIGGER whole_euros ON payments")
    op.execute("DROP FUNCTION whole_euros()")
