"""Products and who sells them

Revision ID: 8b3d5e6f7a21
Revises: 4f1c2a7b9d10
Create Date: 2024-03-11 09:30:00
"""

import sqlalchemy as sa
from alembic import op

revision = "8b3d5e6f7a21"
down_revision = "4f1c2a7b9d10"
branch_labels = None
depends_on = None

# SQLite counts rows up only where the key is an INTEGER.
Key = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade():
    op.create_table(
        "products",
        sa.Column("id", Key, sa.Identity(), primary_key=True),
        sa.Column("vendedor_id", sa.BigInteger, nullable=False),
        sa.Column("sku", sa.String(40), nullable=False, unique=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("precio_venta", sa.Numeric(12, 2), nullable=False),
        sa.Column("precio_costo", sa.Numeric(12, 2), nullable=False),
        sa.Column("comision", sa.Numeric(12, 2), nullable=False, server_default="0"),
        sa.Column("peso", sa.Numeric(8, 3), nullable=False, server_default="0"),
        sa.ForeignKeyConstraint(["vendedor_id"], ["users.id"], name="fk_products_vendedor_id"),
    )


def downgrade():
    op.drop_table("products")
