"""Refunds

Revision ID: 5f8db92a0bec
Revises: 3d6bf708e9ca
Create Date: 2025-06-02 11:15:00
"""

import sqlalchemy as sa
from alembic import op

revision = "5f8db92a0bec"
down_revision = "3d6bf708e9ca"
branch_labels = None
depends_on = None

# SQLite counts rows up only where the key is an INTEGER.
Key = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade():
    op.create_table(
        "refunds",
        sa.Column("id", Key, sa.Identity(), primary_key=True),
        sa.Column("payment_id", sa.BigInteger, nullable=False),
        sa.Column("amount", sa.Numeric(12, 2), nullable=False),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name="fk_refunds_payment_id", ondelete="CASCADE"),
    )


def downgrade():
    op.drop_table("refunds")
