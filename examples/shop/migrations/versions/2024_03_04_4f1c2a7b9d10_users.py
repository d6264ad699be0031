"""Users

Revision ID: 4f1c2a7b9d10
Revises: 
Create Date: 2024-03-04 09:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "4f1c2a7b9d10"
down_revision = None
branch_labels = None
depends_on = None

# SQLite counts rows up only where the key is an INTEGER.
Key = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade():
    op.create_table(
        "users",
        sa.Column("id", Key, sa.Identity(), primary_key=True),
        sa.Column("email", sa.String(255), nullable=False, unique=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False, server_default=sa.func.now()),
    )


def downgrade():
    op.drop_table("users")
