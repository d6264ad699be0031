"""Orders that cost nothing

Revision ID: a7d40c19e8f2
Revises: 3d6bf708e9ca
Create Date: 2025-06-02 11:15:00
"""

from alembic import op

revision = "a7d40c19e8f2"
down_revision = "3d6bf708e9ca"
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table("orders") as orders:
        orders.drop_constraint("ck_order_total_positive", type_="check")
        orders.create_check_constraint("ck_order_total_non_negative", "total >= 0")


def downgrade():
    with op.batch_alter_table("orders") as orders:
        orders.drop_constraint("ck_order_total_non_negative", type_="check")
        orders.create_check_constraint("ck_order_total_positive", "total > 0")
