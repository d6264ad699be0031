"""No discount above the subtotal

Revision ID: 609eca3b1cfd
Revises: 3d6bf708e9ca
Create Date: 2025-06-02 11:15:00
"""

from alembic import op

revision = "609eca3b1cfd"
down_revision = "3d6bf708e9ca"
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table("orders") as orders:
        orders.create_check_constraint("ck_order_discount_below_subtotal", "discount <= subtotal", postgresql_not_valid=True)


def downgrade():
    with op.batch_alter_table("orders") as orders:
        orders.drop_constraint("ck_order_discount_below_subtotal", type_="check")
