"""What the payment provider calls things, each once

Revision ID: 2c5ae6f7d8b9
Revises: 1b49d5e6c7a8
Create Date: 2025-03-24 09:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "2c5ae6f7d8b9"
down_revision = "1b49d5e6c7a8"
branch_labels = None
depends_on = None


def upgrade():
    known = dict.fromkeys(("postgresql_where", "sqlite_where"), sa.text("external_id IS NOT NULL"))

    op.add_column("payment_methods", sa.Column("external_id", sa.String(80)))
    op.create_index("uq_payment_methods_external_id", "payment_methods", ["external_id"], unique=True, **known)

    op.add_column("order_transactions", sa.Column("external_id", sa.String(80)))
    op.create_index("uq_order_transactions_external_id", "order_transactions", ["external_id"], unique=True, **known)

    op.add_column("payments", sa.Column("external_id", sa.String(80)))
    op.create_index("uq_payments_external_id", "payments", ["external_id"], unique=True, **known)


def downgrade():
    for table in ("payments", "order_transactions", "payment_methods"):
        op.drop_index(f"uq_{table}_external_id", table)
        op.drop_column(table, "external_id")
