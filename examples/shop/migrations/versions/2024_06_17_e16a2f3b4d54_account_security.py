"""What we count about an account

Revision ID: e16a2f3b4d54
Revises: d05f1e2a3c43
Create Date: 2024-06-17 09:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "e16a2f3b4d54"
down_revision = "d05f1e2a3c43"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("users", sa.Column("security_clearance", sa.Integer, nullable=False, server_default="1"))
    op.add_column("users", sa.Column("performance_score", sa.Numeric(5, 2), nullable=False, server_default="0"))
    op.add_column("users", sa.Column("failed_logins", sa.Integer, nullable=False, server_default="0"))
    op.add_column("users", sa.Column("otp_attempts", sa.Integer, nullable=False, server_default="0"))
    op.add_column("users", sa.Column("reset_attempts", sa.Integer, nullable=False, server_default="0"))


def downgrade():
    op.drop_column("users", "reset_attempts")
    op.drop_column("users", "otp_attempts")
    op.drop_column("users", "failed_logins")
    op.drop_column("users", "performance_score")
    op.drop_column("users", "security_clearance")
