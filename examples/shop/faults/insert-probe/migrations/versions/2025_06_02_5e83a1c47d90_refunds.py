"""Refunds, noted on their order

Revision ID: 5e83a1c47d90
Revises: 3d6bf708e9ca
Create Date: 2025-06-02 11:40:00
"""

import sqlalchemy as sa
from alembic import op

revision = "5e83a1c47d90"
down_revision = "3d6bf708e9ca"
branch_labels = None
depends_on = None

NOTE = """
CREATE FUNCTION note_refund() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE orders SET refunded_at = now() WHERE id = NEW.order_id;
    RETURN NEW;
END $$
"""


def upgrade():
    op.create_table(
        "refunds",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("order_id", sa.BigInteger, sa.ForeignKey("orders.id", name="fk_refunds_order"), nullable=False),
        sa.Column("amount", sa.Numeric(12, 2), nullable=False),
    )
    op.create_index("ix_refunds_order_id", "refunds", ["order_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(NOTE)
        op.execute("CREATE TRIGGER note_refund AFTER INSERT ON refunds FOR EACH ROW EXECUTE FUNCTION note_refund()")


def downgrade():
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER note_refund ON refunds")
        op.execute("DROP FUNCTION note_refund()")
    op.drop_table("refunds")
