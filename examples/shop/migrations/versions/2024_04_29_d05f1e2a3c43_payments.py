"""Payment methods, transactions and payments

Revision ID: d05f1e2a3c43
Revises: c94e0d1f2b32
Create Date: 2024-04-29 09:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "d05f1e2a3c43"
down_revision = "c94e0d1f2b32"
branch_labels = None
depends_on = None

# SQLite counts rows up only where the key is an INTEGER.
Key = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade():
    op.create_table(
        "payment_methods",
        sa.Column("id", Key, sa.Identity(), primary_key=True),
        sa.Column("buyer_id", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("label", sa.String(60), nullable=False),
        sa.ForeignKeyConstraint(["buyer_id"], ["users.id"], name="fk_payment_methods_buyer_id", ondelete="CASCADE"),
    )
    op.create_table(  # attempts to collect the money of an order
        "order_transactions",
        sa.Column("id", Key, sa.Identity(), primary_key=True),
        sa.Column("order_id", sa.BigInteger, nullable=False),
        sa.Column("payment_method_id", sa.BigInteger),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False, server_default=sa.func.now()),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_order_transactions_order_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["payment_method_id"], ["payment_methods.id"], name="fk_order_transactions_payment_method_id"),
    )
    op.create_table(
        "payments",
        sa.Column("id", Key, sa.Identity(), primary_key=True),
        sa.Column("transaction_id", sa.BigInteger, nullable=False),
        sa.Column("amount", sa.Numeric(12, 2), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("method_type", sa.String(20), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.ForeignKeyConstraint(["transaction_id"], ["order_transactions.id"], name="fk_payments_transaction_id"),
    )


def downgrade():
    op.drop_table("payments")
    op.drop_table("order_transactions")
    op.drop_table("payment_methods")
