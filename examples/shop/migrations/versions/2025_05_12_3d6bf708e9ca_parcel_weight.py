"""A function for what an order weighs

Revision ID: 3d6bf708e9ca
Revises: 2c5ae6f7d8b9
Create Date: 2025-05-12 09:30:00
"""

from alembic import op

revision = "3d6bf708e9ca"
down_revision = "2c5ae6f7d8b9"
branch_labels = None
depends_on = None


def upgrade():
    if op.get_context().dialect.name != "postgresql":  # the tills send no parcels
        return
    op.execute("""
        CREATE FUNCTION parcel_weight(wanted bigint) RETURNS numeric LANGUAGE sql STABLE AS $$
            SELECT coalesce(sum(order_items.quantity * products.peso), 0)
              FROM order_items JOIN products ON products.id = order_items.product_id
             WHERE order_items.order_id = wanted
        $$
    """)


def downgrade():
    if op.get_context().dialect.name != "postgresql":
        return
    op.execute("DROP FUNCTION parcel_weight(bigint)")
