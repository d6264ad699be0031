"""An index for the newest orders

Revision ID: c6f42a917253
Revises: 3d6bf708e9ca
Create Date: 2025-06-02 11:15:00
"""

from alembic import op

revision = "c6f42a917253"
down_revision = "3d6bf708e9ca"
branch_labels = None
depends_on = None


def upgrade():
    op.create_index("ix_orders_created_at", "orders", ["created_at"], postgresql_concurrently=True)


def downgrade():
    op.drop_index("ix_orders_created_at", "orders", postgresql_concurrently=True)
