"""The tables of the shop, as its application sees them."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, Integer, Numeric, String, func, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

Money = Numeric(12, 2)
# SQLite counts rows up only where the key is an INTEGER.
Key = BigInteger().with_variant(Integer, "sqlite")
KNOWN = dict.fromkeys(("postgresql_where", "sqlite_where"), text("external_id IS NOT NULL"))


class Base(DeclarativeBase):
    pass


class User(Base):
    """Someone who buys, sells, or both."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("email LIKE '%_@_%._%'", name="ck_user_email_format"),
        CheckConstraint("security_clearance BETWEEN 1 AND 5", name="ck_user_security_clearance_range"),
        CheckConstraint("performance_score BETWEEN 0 AND 100", name="ck_user_performance_score_range"),
        CheckConstraint("failed_logins >= 0", name="ck_user_failed_logins_non_negative"),
        CheckConstraint("otp_attempts >= 0", name="ck_user_otp_attempts_non_negative"),
        CheckConstraint("reset_attempts >= 0", name="ck_user_reset_attempts_non_negative"),
    )

    id: Mapped[int] = mapped_column(Key, Identity(), primary_key=True)
    email: Mapped[str] = mapped_column(String(255), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    security_clearance: Mapped[int] = mapped_column(Integer, server_default="1")
    performance_score: Mapped[Decimal] = mapped_column(Numeric(5, 2), server_default="0")
    failed_logins: Mapped[int] = mapped_column(Integer, server_default="0")
    otp_attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    reset_attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    orders: Mapped[list["Order"]] = relationship(back_populates="buyer")


class Product(Base):
    """Something that a user sells."""

    __tablename__ = "products"
    __table_args__ = (
        CheckConstraint("precio_venta >= 0", name="ck_product_precio_venta_non_negative"),
        CheckConstraint("precio_costo >= 0", name="ck_product_precio_costo_non_negative"),
        CheckConstraint("comision >= 0", name="ck_product_comision_non_negative"),
        CheckConstraint("peso >= 0", name="ck_product_peso_non_negative"),
        CheckConstraint("length(trim(sku)) > 0", name="ck_product_sku_not_empty"),
        CheckConstraint("length(trim(name)) > 0", name="ck_product_name_not_empty"),
    )

    id: Mapped[int] = mapped_column(Key, Identity(), primary_key=True)
    vendedor_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("users.id", name="fk_products_vendedor_id", ondelete="RESTRICT")
    )
    sku: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    precio_venta: Mapped[Decimal] = mapped_column(Money)
    precio_costo: Mapped[Decimal] = mapped_column(Money)
    comision: Mapped[Decimal] = mapped_column(Money, server_default="0")
    peso: Mapped[Decimal] = mapped_column(Numeric(8, 3), server_default="0")


class Order(Base):
    """What a buyer orders at once."""

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint("subtotal >= 0", name="ck_order_subtotal_non_negative"),
        CheckConstraint("tax >= 0", name="ck_order_tax_non_negative"),
        CheckConstraint("shipping >= 0", name="ck_order_shipping_non_negative"),
        CheckConstraint("discount >= 0", name="ck_order_discount_non_negative"),
        CheckConstraint("total > 0", name="ck_order_total_positive"),
        CheckConstraint("round(subtotal + tax + shipping - discount - total, 2) = 0", name="ck_order_total_calculation"),
        CheckConstraint("length(trim(shipping_name)) > 0", name="ck_order_shipping_name_not_empty"),
        Index("ix_orders_buyer_id_status", "buyer_id", "status"),
    )

    id: Mapped[int] = mapped_column(Key, Identity(), primary_key=True)
    buyer_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", name="fk_orders_buyer_id", ondelete="RESTRICT"))
    number: Mapped[str] = mapped_column(String(20), unique=True)
    status: Mapped[str] = mapped_column(String(20), server_default="open")
    subtotal: Mapped[Decimal] = mapped_column(Money)
    tax: Mapped[Decimal] = mapped_column(Money, server_default="0")
    shipping: Mapped[Decimal] = mapped_column(Money, server_default="0")
    discount: Mapped[Decimal] = mapped_column(Money, server_default="0")
    total: Mapped[Decimal] = mapped_column(Money)
    shipping_name: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    buyer: Mapped[User] = relationship(back_populates="orders")
    items: Mapped[list["OrderItem"]] = relationship(passive_deletes=True)


class OrderItem(Base):
    """One line of an order, with the product as it was then."""

    __tablename__ = "order_items"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="ck_order_item_quantity_positive"),
        CheckConstraint("unit_price > 0", name="ck_order_item_unit_price_positive"),
        CheckConstraint("round(unit_price * quantity - total, 2) = 0", name="ck_order_item_total_calculation"),
        CheckConstraint("length(trim(product_name)) > 0", name="ck_order_item_product_name_not_empty"),
        CheckConstraint("length(trim(product_sku)) > 0", name="ck_order_item_product_sku_not_empty"),
        Index("ix_order_items_order_id", "order_id"),
    )

    id: Mapped[int] = mapped_column(Key, Identity(), primary_key=True)
    order_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("orders.id", name="fk_order_items_order_id", ondelete="CASCADE"))
    product_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("products.id", name="fk_order_items_product_id", ondelete="RESTRICT")
    )
    product_sku: Mapped[str] = mapped_column(String(40))
    product_name: Mapped[str] = mapped_column(String(200))
    quantity: Mapped[int] = mapped_column(Integer)
    unit_price: Mapped[Decimal] = mapped_column(Money)
    total: Mapped[Decimal] = mapped_column(Money)


class PaymentMethod(Base):
    """A way to pay that a buyer keeps with us."""

    __tablename__ = "payment_methods"
    __table_args__ = (
        Index("ix_payment_methods_buyer_id", "buyer_id"),
        Index("uq_payment_methods_external_id", "external_id", unique=True, **KNOWN),
    )

    id: Mapped[int] = mapped_column(Key, Identity(), primary_key=True)
    buyer_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("users.id", name="fk_payment_methods_buyer_id", ondelete="CASCADE")
    )
    kind: Mapped[str] = mapped_column(String(20))
    label: Mapped[str] = mapped_column(String(60))
    external_id: Mapped[str | None] = mapped_column(String(80))


class OrderTransaction(Base):
    """An attempt to collect the money of an order."""

    __tablename__ = "order_transactions"
    __table_args__ = (
        Index("ix_order_transactions_order_id", "order_id"),
        Index("ix_order_transactions_payment_method_id", "payment_method_id"),
        Index("uq_order_transactions_external_id", "external_id", unique=True, **KNOWN),
    )

    id: Mapped[int] = mapped_column(Key, Identity(), primary_key=True)
    order_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("orders.id", name="fk_order_transactions_order_id", ondelete="CASCADE")
    )
    payment_method_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("payment_methods.id", name="fk_order_transactions_payment_method_id", ondelete="SET NULL")
    )
    outcome: Mapped[str] = mapped_column(String(20))
    external_id: Mapped[str | None] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Payment(Base):
    """Money that came."""

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint("amount > 0", name="ck_payment_amount_positive"),
        CheckConstraint("length(trim(currency)) = 3", name="ck_payment_currency_format"),
        CheckConstraint("length(trim(method_type)) > 0", name="ck_payment_method_type_not_empty"),
        CheckConstraint("length(trim(status)) > 0", name="ck_payment_status_not_empty"),
        Index("uq_payments_external_id", "external_id", unique=True, **KNOWN),
    )

    id: Mapped[int] = mapped_column(Key, Identity(), primary_key=True)
    transaction_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("order_transactions.id", name="fk_payments_transaction_id", ondelete="RESTRICT")
    )
    amount: Mapped[Decimal] = mapped_column(Money)
    currency: Mapped[str] = mapped_column(String(3))
    method_type: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(20))
    external_id: Mapped[str | None] = mapped_column(String(80))
