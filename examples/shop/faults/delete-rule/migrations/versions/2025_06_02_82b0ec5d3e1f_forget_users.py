"""Users can be forgotten

Revision ID: 82b0ec5d3e1f
Revises: 3d6bf708e9ca
Create Date: 2025-06-02 11:15:00
"""

from alembic import op

revision = "82b0ec5d3e1f"
down_revision = "3d6bf708e9ca"
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table("orders") as orders:
        orders.drop_constraint("fk_orders_buyer_id", type_="foreignkey")
        orders.create_foreign_key("fk_orders_buyer_id", "users", ["buyer_id"], ["id"], ondelete="CASCADE")


def downgrade():
    with op.batch_alter_table("orders") as orders:
        orders.drop_constraint("fk_orders_buyer_id", type_="foreignkey")
        orders.create_foreign_key("fk_orders_buyer_id", "users", ["buyer_id"], ["id"], ondelete="RESTRICT")
