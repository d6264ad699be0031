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
    op.create_check_constraint("ck_order_subtotal_non_negative", "orders", "subtotal >= 0")
    op.create_check_constraint("ck_order_tax_non_negative", "orders", "tax >= 0")
    op.create_check_constraint("ck_order_shipping_non_negative", "orders", "shipping >= 0")
    op.create_check_constraint("ck_order_discount_non_negative", "orders", "discount >= 0")
    op.create_check_constraint("ck_order_total_positive", "orders", "total > 0")
    op.create_check_constraint("ck_order_total_calculation", "orders", "total = subtotal + tax + shipping - discount")
    op.create_check_constraint("ck_order_shipping_name_not_empty", "orders", "length(trim(shipping_name)) > 0")

    op.create_check_constraint("ck_order_item_quantity_positive", "order_items", "quantity > 0")
    op.create_check_constraint("ck_order_item_unit_price_positive", "order_items", "unit_price > 0")
    op.create_check_constraint("ck_order_item_total_calculation", "order_items", "total = unit_price * quantity")
    op.create_check_constraint("ck_order_item_product_name_not_empty", "order_items", "length(trim(product_name)) > 0")
    op.create_check_constraint("ck_order_item_product_sku_not_empty", "order_items", "length(trim(product_sku)) > 0")

    op.create_check_constraint("ck_payment_amount_positive", "payments", "amount > 0")
    op.create_check_constraint("ck_payment_currency_format", "payments", "length(trim(currency)) = 3")
    op.create_check_constraint("ck_payment_method_type_not_empty", "payments", "length(trim(method_type)) > 0")
    op.create_check_constraint("ck_payment_status_not_empty", "payments", "length(trim(status)) > 0")

    op.create_check_constraint("ck_product_precio_venta_non_negative", "products", "precio_venta >= 0")
    op.create_check_constraint("ck_product_precio_costo_non_negative", "products", "precio_costo >= 0")
    op.create_check_constraint("ck_product_comision_non_negative", "products", "comision >= 0")
    op.create_check_constraint("ck_product_peso_non_negative", "products", "peso >= 0")
    op.create_check_constraint("ck_product_sku_not_empty", "products", "length(trim(sku)) > 0")
    op.create_check_constraint("ck_product_name_not_empty", "products", "length(trim(name)) > 0")

    op.create_check_constraint("ck_user_email_format", "users", "email LIKE '%_@_%._%'")
    op.create_check_constraint("ck_user_security_clearance_range", "users", "security_clearance BETWEEN 1 AND 5")
    op.create_check_constraint("ck_user_performance_score_range", "users", "performance_score BETWEEN 0 AND 100")
    op.create_check_constraint("ck_user_failed_logins_non_negative", "users", "failed_logins >= 0")
    op.create_check_constraint("ck_user_otp_attempts_non_negative", "users", "otp_attempts >= 0")
    op.create_check_constraint("ck_user_reset_attempts_non_negative", "users", "reset_attempts >= 0")


def downgrade():
    op.drop_constraint("ck_user_reset_attempts_non_negative", "users")
    op.drop_constraint("ck_user_otp_attempts_non_negative", "users")
    op.drop_constraint("ck_user_failed_logins_non_negative", "users")
    op.drop_constraint("ck_user_performance_score_range", "users")
    op.drop_constraint("ck_user_security_clearance_range", "users")
    op.drop_constraint("ck_user_email_format", "users")

    op.drop_constraint("ck_product_name_not_empty", "products")
    op.drop_constraint("ck_product_sku_not_empty", "products")
    op.drop_constraint("ck_product_peso_non_negative", "products")
    op.drop_constraint("ck_product_comision_non_negative", "products")
    op.drop_constraint("ck_product_precio_costo_non_negative", "products")
    op.drop_constraint("ck_product_precio_venta_non_negative", "products")

    op.drop_constraint("ck_payment_status_not_empty", "payments")
    op.drop_constraint("ck_payment_method_type_not_empty", "payments")
    op.drop_constraint("ck_payment_currency_format", "payments")
    op.drop_constraint("ck_payment_amount_positive", "payments")

    op.drop_constraint("ck_order_item_product_sku_not_empty", "order_items")
    op.drop_constraint("ck_order_item_product_name_not_empty", "order_items")
    op.drop_constraint("ck_order_item_total_calculation", "order_items")
    op.drop_constraint("ck_order_item_unit_price_positive", "order_items")
    op.drop_constraint("ck_order_item_quantity_positive", "order_items")

    op.drop_constraint("ck_order_shipping_name_not_empty", "orders")
    op.drop_constraint("ck_order_total_calculation", "orders")
    op.drop_constraint("ck_order_total_positive", "orders")
    op.drop_constraint("ck_order_discount_non_negative", "orders")
    op.drop_constraint("ck_order_shipping_non_negative", "orders")
    op.drop_constraint("ck_order_tax_non_negative", "orders")
    op.drop_constraint("ck_order_subtotal_non_negative", "orders")
