"""Indexes for cascades and for what is read most

Revision ID: 1b49d5e6c7a8
Revises: 0a38c4d5b6f7
Create Date: 2025-02-03 09:30:00
"""

from alembic import op

revision = "1b49d5e6c7a8"
down_revision = "0a38c4d5b6f7"
branch_labels = None
depends_on = None


def upgrade():
    op.create_index("ix_orders_buyer_id_status", "orders", ["buyer_id", "status"])
    op.create_index("ix_order_items_order_id", "order_items", ["order_id"])
    op.create_index("ix_payment_methods_buyer_id", "payment_methods", ["buyer_id"])
    op.create_index("ix_order_transactions_order_id", "order_transactions", ["order_id"])
    op.create_index("ix_order_transactions_payment_method_id", "order_transactions", ["payment_method_id"])


def downgrade():
    op.drop_index("ix_order_transactions_payment_method_id", "order_transactions")
    op.drop_index("ix_order_transactions_order_id", "order_transactions")
    op.drop_index("ix_payment_methods_buyer_id", "payment_methods")
    op.drop_index("ix_order_items_order_id", "order_items")
    op.drop_index("ix_orders_buyer_id_status", "orders")
