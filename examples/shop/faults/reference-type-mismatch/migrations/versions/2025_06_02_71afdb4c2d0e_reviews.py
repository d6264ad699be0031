"""Reviews of products

Revision ID: 71afdb4c2d0e
Revises: 3d6bf708e9ca
Create Date: 2025-06-02 11:15:00
"""

import sqlalchemy as sa
from alembic import op

revision = "71afdb4c2d0e"
down_revision = "3d6bf708e9ca"
branch_labels = None
depends_on = None

# SQLite counts rows up only where the key is an INTEGER.
Key = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade():
    op.create_table(
        "reviews",
        sa.Column("id", Key, sa.Identity(), primary_key=True),
        sa.Column("product_id", sa.Integer, nullable=False, index=True),
        sa.Column("stars", sa.SmallInteger, nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name="fk_reviews_product_id", ondelete="CASCADE"),
    )


def downgrade():
    op.drop_table("reviews")
