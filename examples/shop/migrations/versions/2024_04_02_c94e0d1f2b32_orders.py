"""Orders and their items

Revision ID: c94e0d1f2b32
Revises: 8b3d5e6f7a21
Create Date: 2024-04-02 09:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "c94e0d1f2b32"
down_revision = "8b3d5e6f7a21"
branch_labels = None
depends_on = None

# SQLite counts rows up only where the key is an INTEGER.
Key = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade():
    op.create_table(
        "orders",
        sa.Column("id", Key, sa.Identity(), primary_key=True),
        sa.Column("buyer_id", sa.BigInteger, nullable=False),
        sa.Column("number", sa.String(20), nullable=False, unique=True),
        sa.Column("status", sa.String(20), nullable=False, server_default="open"),
        sa.Column("subtotal", sa.Numeric(12, 2), nullable=False),
        sa.Column("tax", sa.Numeric(12, 2), nullable=False, server_default="0"),
        sa.Column("shipping", sa.Numeric(12, 2), nullable=False, server_default="0"),
        sa.Column("discount", sa.Numeric(12, 2), nullable=False, server_default="0"),
        sa.Column("total", sa.Numeric(12, 2), nullable=False),
        sa.Column("shipping_name", sa.String(120), nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False, server_default=sa.func.now()),
        sa.ForeignKeyConstraint(["buyer_id"], ["users.id"], name="fk_orders_buyer_id"),
    )
    op.create_table(
        "order_items",
        sa.Column("id", Key, sa.Identity(), primary_key=True),
        sa.Column("order_id", sa.BigInteger, nullable=False),
        sa.Column("product_id", sa.BigInteger, nullable=False),
        sa.Column("product_sku", sa.String(40), nullable=False),
        sa.Column("product_name", sa.String(200), nullable=False),
        sa.Column("quantity", sa.Integer, nullable=False),
        sa.Column("unit_price", sa.Numeric(12, 2), nullable=False),
        sa.Column("total", sa.Numeric(12, 2), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_order_items_order_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name="fk_order_items_product_id"),
    )


def downgrade():
    op.drop_table("order_items")
    op.drop_table("orders")
