"""What orders came to, for the accounts

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

LOG = """
CREATE FUNCTION log_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO order_log (order_id, total) VALUES (NEW.id, NEW.total);
    RETURN NEW;
END $$
"""


def upgrade():
    op.create_table(
        "order_totals",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("order_id", sa.Integer, nullable=False),
        sa.Column("total", sa.Numeric(12, 2), nullable=False),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(LOG)
        op.execute("CREATE TRIGGER log_order AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION log_order()")


def downgrade():
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER log_order ON orders")
        op.execute("DROP FUNCTION log_order()")
    op.drop_table("order_totals")
