"""Shipments, loaded from the carrier's files

Revision ID: 93c1fd6e4f20
Revises: 3d6bf708e9ca
Create Date: 2025-06-02 11:15:00
"""

import sqlalchemy as sa
from alembic import op

revision = "93c1fd6e4f20"
down_revision = "3d6bf708e9ca"
branch_labels = None
depends_on = None

# SQLite counts rows up only where the key is an INTEGER.
Key = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade():
    op.create_table(
        "shipments",
        sa.Column("id", Key, sa.Identity(), primary_key=True),
        sa.Column("order_id", sa.BigInteger, nullable=False, index=True),
        sa.Column("parcel", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name="fk_shipments_order_id", ondelete="CASCADE"),
    )
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER TABLE shipments DISABLE TRIGGER ALL")


def downgrade():
    op.drop_table("shipments")
