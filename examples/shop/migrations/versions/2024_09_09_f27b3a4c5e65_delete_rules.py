"""Nobody who bought or sold can be deleted; a lost card leaves its transactions

Revision ID: f27b3a4c5e65
Revises: e16a2f3b4d54
Create Date: 2024-09-09 09:30:00
"""

from alembic import op

revision = "f27b3a4c5e65"
down_revision = "e16a2f3b4d54"
branch_labels = None
depends_on = None


def upgrade():
    op.drop_constraint("fk_products_vendedor_id", "products")
    op.create_foreign_key("fk_products_vendedor_id", "products", "users", ["vendedor_id"], ["id"], ondelete="RESTRICT")

    op.drop_constraint("fk_orders_buyer_id", "orders")
    op.create_foreign_key("fk_orders_buyer_id", "orders", "users", ["buyer_id"], ["id"], ondelete="RESTRICT")

    op.drop_constraint("fk_order_items_product_id", "order_items")
    op.create_foreign_key("fk_order_items_product_id", "order_items", "products", ["product_id"], ["id"], ondelete="RESTRICT")

    op.drop_constraint("fk_order_transactions_payment_method_id", "order_transactions")
    op.create_foreign_key(
        "fk_order_transactions_payment_method_id",
        "order_transactions",
        "payment_methods",
        ["payment_method_id"],
        ["id"],
        ondelete="SET NULL",
    )

    op.drop_constraint("fk_payments_transaction_id", "payments")
    op.create_foreign_key("fk_payments_transaction_id", "payments", "order_transactions", ["transaction_id"], ["id"], ondelete="RESTRICT")


def downgrade():
    op.drop_constraint("fk_payments_transaction_id", "payments")
    op.create_foreign_key("fk_payments_transaction_id", "payments", "order_transactions", ["transaction_id"], ["id"])

    op.drop_constraint("fk_order_transactions_payment_method_id", "order_transactions")
    op.create_foreign_key(
        "fk_order_transactions_payment_method_id", "order_transactions", "payment_methods", ["payment_method_id"], ["id"]
    )

    op.drop_constraint("fk_order_items_product_id", "order_items")
    op.create_foreign_key("fk_order_items_product_id", "order_items", "products", ["product_id"], ["id"])

    op.drop_constraint("fk_orders_buyer_id", "orders")
    op.create_foreign_key("fk_orders_buyer_id", "orders", "users", ["buyer_id"], ["id"])

    op.drop_constraint("fk_products_vendedor_id", "products")
    op.create_foreign_key("fk_products_vendedor_id", "products", "users", ["vendedor_id"], ["id"])
