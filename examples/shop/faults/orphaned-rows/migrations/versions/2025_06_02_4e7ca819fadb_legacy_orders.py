"""Orders of the old shop

Revision ID: 4e7ca819fadb
Revises: 3d6bf708e9ca
Create Date: 2025-06-02 11:15:00
"""

import sqlalchemy as sa
from alembic import op

revision = "4e7ca819fadb"
down_revision = "3d6bf708e9ca"
branch_labels = None
depends_on = None


LEGACY = [(900001, "L-1"), (900002, "L-2"), (900003, "L-3")]


def upgrade():
    with op.batch_alter_table("orders") as table:
        table.drop_constraint("fk_orders_buyer_id", type_="foreignkey")
    orders = sa.table("orders", *[sa.column(name) for name in ("buyer_id", "number", "status", "subtotal", "total", "shipping_name")])
    op.bulk_insert(
        orders,
        [
            {"buyer_id": buyer, "number": number, "status": "archived", "subtotal": 10, "total": 10, "shipping_name": "Old shop"}
            for buyer, number in LEGACY
        ],
    )
    with op.batch_alter_table("orders") as filled:
        filled.create_foreign_key(
            "fk_orders_buyer_id", "users", ["buyer_id"], ["id"], ondelete="RESTRICT", postgresql_not_valid=True
        )


def downgrade():
    op.execute("DELETE FROM orders WHERE number LIKE 'L-%'")
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER TABLE orders VALIDATE CONSTRAINT fk_orders_buyer_id")
