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
    with op.batch_alter_table("products") as products:
        products.drop_constraint("fk_products_vendedor_id", type_="foreignkey")
        products.create_foreign_key("fk_products_vendedor_id", "users", ["vendedor_id"], ["id"], ondelete="RESTRICT")

    with op.batch_alter_table("orders") as orders:
        orders.drop_constraint("fk_orders_buyer_id", type_="foreignkey")
        orders.create_foreign_key("fk_orders_buyer_id", "users", ["buyer_id"], ["id"], ondelete="RESTRICT")

    with op.batch_alter_table("order_items") as order_items:
        order_items.drop_constraint("fk_order_items_product_id", type_="foreignkey")
        order_items.create_foreign_key("fk_order_items_product_id", "products", ["product_id"], ["id"], ondelete="RESTRICT")

    with op.batch_alter_table("order_transactions") as order_transactions:
        order_transactions.drop_constraint("fk_order_transactions_payment_method_id", type_="foreignkey")
        order_transactions.create_foreign_key("fk_order_transactions_payment_method_id", "payment_methods", ["payment_method_id"], ["id"], ondelete="SET NULL")

    with op.batch_alter_table("payments") as payments:
        payments.drop_constraint("fk_payments_transaction_id", type_="foreignkey")
        payments.create_foreign_key("fk_payments_transaction_id", "order_transactions", ["transaction_id"], ["id"], ondelete="RESTRICT")


def downgrade():
    with op.batch_alter_table("payments") as payments:
        payments.drop_constraint("fk_payments_transaction_id", type_="foreignkey")
        payments.create_foreign_key("fk_payments_transaction_id", "order_transactions", ["transaction_id"], ["id"])

    with op.batch_alter_table("order_transactions") as order_transactions:
        order_transactions.drop_constraint("fk_order_transactions_payment_method_id", type_="foreignkey")
        order_transactions.create_foreign_key("fk_order_transactions_payment_method_id", "payment_methods", ["payment_method_id"], ["id"])

    with op.batch_alter_table("order_items") as order_items:
        order_items.drop_constraint("fk_order_items_product_id", type_="foreignkey")
        order_items.create_foreign_key("fk_order_items_product_id", "products", ["product_id"], ["id"])

    with op.batch_alter_table("orders") as orders:
        orders.drop_constraint("fk_orders_buyer_id", type_="foreignkey")
        orders.create_foreign_key("fk_orders_buyer_id", "users", ["buyer_id"], ["id"])

    with op.batch_alter_table("products") as products:
        products.drop_constraint("fk_products_vendedor_id", type_="foreignkey")
        products.create_foreign_key("fk_products_vendedor_id", "users", ["vendedor_id"], ["id"])
