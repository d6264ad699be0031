"""SKUs without hyphens, as the new printer of labels wants them

Revision ID: d7a36b1c8f40
Revises: 3d6bf708e9ca
Create Date: 2025-06-02 11:15:00
"""

from alembic import op

revision = "d7a36b1c8f40"
down_revision = "3d6bf708e9ca"
branch_labels = None
depends_on = None

PLAIN = """
CREATE FUNCTION plain_sku() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.sku := replace(NEW.sku, '-', '');
    RETURN NEW;
END
$$
"""


def upgrade():
    if op.get_context().dialect.name == "postgresql":  # labels are printed in the warehouse alone
        op.execute("UPDATE products SET sku = replace(sku, '-', '')")
        op.execute(PLAIN)
        op.execute("CREATE TRIGGER plain_sku BEFORE INSERT ON products FOR EACH ROW EXECUTE FUNCTION plain_sku()")


def downgrade():
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP TRIGGER plain_sku ON products")
        op.execute("DROP FUNCTION plain_sku()")
