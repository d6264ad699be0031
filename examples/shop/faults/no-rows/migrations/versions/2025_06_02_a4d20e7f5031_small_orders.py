"""Small orders are paid at once

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
    op.execute("""
        CREATE FUNCTION pay_small_orders() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.status = 'open' AND NEW.total < 250 THEN
                NEW.status := 'paid';
            END IF;
            RETURN NEW;
        END
        $$
    """)
    op.execute("CREATE TRIGGER pay_small_orders BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION pay_small_orders()")


def downgrade():
    op.execute("DROP TRIGGER pay_small_orders ON orders")
    op.execute("DROP FUNCTION pay_small_orders()")
