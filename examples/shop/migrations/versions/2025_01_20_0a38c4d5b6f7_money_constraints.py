"""Constraints on money, names and accounts

Revision ID: 0a38c4d5b6f7
Revises: f27b3a4c5e65
Create Date: 2025-01-20 09:30:00
"""

from alembic import op

revision = "0a38c4d5b6f7"
down_revision = "f27b3a4c5e65"
branch_labels = None
depends_on = None


def upgrade():
    # Cents are added up and rounded, since SQLite keeps them as floating point numbers.
    with op.batch_alter_table("orders") as orders:
        orders.create_check_constraint("ck_order_subtotal_non_negative", "subtotal >= 0")
        orders.create_check_constraint("ck_order_tax_non_negative", "tax >= 0")
        orders.create_check_constraint("ck_order_shipping_non_negative", "shipping >= 0")
        orders.create_check_constraint("ck_order_discount_non_negative", "discount >= 0")
        orders.create_check_constraint("ck_order_total_positive", "total > 0")
        orders.create_check_constraint("ck_order_total_calculation", "round(subtotal + tax + shipping - discount - total, 2) = 0")
        orders.create_check_constraint("ck_order_shipping_name_not_empty", "length(trim(shipping_name)) > 0")

    with op.batch_alter_table("order_items") as order_items:
        order_items.create_check_constraint("ck_order_item_quantity_positive", "quantity > 0")
        order_items.create_check_constraint("ck_order_item_unit_price_positive", "unit_price > 0")
        order_items.create_check_constraint("ck_order_item_total_calculation", "round(unit_price * quantity - total, 2) = 0")
        order_items.create_check_constraint("ck_order_item_product_name_not_empty", "length(trim(product_name)) > 0")
        order_items.create_check_constraint("ck_order_item_product_sku_not_empty", "length(trim(product_sku)) > 0")

    with op.batch_alter_table("payments") as payments:
        payments.create_check_constraint("ck_payment_amount_positive", "amount > 0")
        payments.create_check_constraint("ck_payment_currency_format", "length(trim(currency)) = 3")
        payments.create_check_constraint("ck_payment_method_type_not_empty", "length(trim(method_type)) > 0")
        payments.create_check_constraint("ck_payment_status_not_empty", "length(trim(status)) > 0")

    with op.batch_alter_table("products") as products:
        products.create_check_constraint("ck_product_precio_venta_non_negative", "precio_venta >= 0")
        products.create_check_constraint("ck_product_precio_costo_non_negative", "precio_costo >= 0")
        products.create_check_constraint("ck_product_comision_non_negative", "comision >= 0")
        products.create_check_constraint("ck_product_peso_non_negative", "peso >= 0")
        products.create_check_constraint("ck_product_sku_not_empty", "length(trim(sku)) > 0")
        products.create_check_constraint("ck_product_name_not_empty", "length(trim(name)) > 0")

    with op.batch_alter_table("users") as users:
        users.create_check_constraint("ck_user_email_format", "email LIKE '%_@_%._%'")
        users.create_check_constraint("ck_user_security_clearance_range", "security_clearance BETWEEN 1 AND 5")
        users.create_check_constraint("ck_user_performance_score_range", "performance_score BETWEEN 0 AND 100")
        users.create_check_constraint("ck_user_failed_logins_non_negative", "failed_logins >= 0")
        users.create_check_constraint("ck_user_otp_attempts_non_negative", "otp_attempts >= 0")
        users.create_check_constraint("ck_user_reset_attempts_non_negative", "reset_attempts >= 0")


def downgrade():
    with op.batch_alter_table("users") as users:
        users.drop_constraint("ck_user_reset_attempts_non_negative", type_="check")
        users.drop_constraint("ck_user_otp_attempts_non_negative", type_="check")
        users.drop_constraint("ck_user_failed_logins_non_negative", type_="check")
        users.drop_constraint("ck_user_performance_score_range", type_="check")
        users.drop_constraint("ck_user_security_clearance_range", type_="check")
        users.drop_constraint("ck_user_email_format", type_="check")

    with op.batch_alter_table("products") as products:
        products.drop_constraint("ck_product_name_not_empty", type_="check")
        products.drop_constraint("ck_product_sku_not_empty", type_="check")
        products.drop_constraint("ck_product_peso_non_negative", type_="check")
        products.drop_constraint("ck_product_comision_non_negative", type_="check")
        products.drop_constraint("ck_product_precio_costo_non_negative", type_="check")
        products.drop_constraint("ck_product_precio_venta_non_negative", type_="check")

    with op.batch_alter_table("payments") as payments:
        payments.drop_constraint("ck_payment_status_not_empty", type_="check")
        payments.drop_constraint("ck_payment_method_type_not_empty", type_="check")
        payments.drop_constraint("ck_payment_currency_format", type_="check")
        payments.drop_constraint("ck_payment_amount_positive", type_="check")

    with op.batch_alter_table("order_items") as order_items:
        order_items.drop_constraint("ck_order_item_product_sku_not_empty", type_="check")
        order_items.drop_constraint("ck_order_item_product_name_not_empty", type_="check")
        order_items.drop_constraint("ck_order_item_total_calculation", type_="check")
        order_items.drop_constraint("ck_order_item_unit_price_positive", type_="check")
        order_items.drop_constraint("ck_order_item_quantity_positive", type_="check")

    with op.batch_alter_table("orders") as orders:
        orders.drop_constraint("ck_order_shipping_name_not_empty", type_="check")
        orders.drop_constraint("ck_order_total_calculation", type_="check")
        orders.drop_constraint("ck_order_total_positive", type_="check")
        orders.drop_constraint("ck_order_discount_non_negative", type_="check")
        orders.drop_constraint("ck_order_shipping_non_negative", type_="check")
        orders.drop_constraint("ck_order_tax_non_negative", type_="check")
        orders.drop_constraint("ck_order_subtotal_non_negative", type_="check")
