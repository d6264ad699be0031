"""New revisions of the shop go up, down and up again on a copy of base with its rows; what a rollback loses is counted."""

from __future__ import annotations

from pathlib import Path

from example_repositories import Example, run_on
from repositories import repository

SHOP = Example("shop")
LATEST = "3d6bf708e9ca"
REVISION = """\
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "{revision}", "{below}", None, None


def upgrade():
    {up}


def downgrade():
    {down}
"""
ADDED = {
    "1_coupons": (
        'op.create_table("coupons", sa.Column("id", sa.Integer, primary_key=True))\n'
        '    op.create_check_constraint("ck_code", "orders", "number <> \'\'")',
        'op.drop_constraint("ck_code", "orders")\n    op.drop_table("coupons")',
    ),
    "2_once": ("pass", 'raise NotImplementedError("restore a backup")'),
    "3_accepted": ("pass", 'raise NotImplementedError("no")'),
    "4_shorter": (
        'op.drop_column("payments", "currency")\n    op.create_index("ix_sku", "order_items", ["product_sku"])',
        'op.add_column("payments", sa.Column("currency", sa.String(3), nullable=False, server_default="USD"))',
    ),
}


def test_what_the_way_back_of_new_revisions_restores(tmp_path: Path) -> None:
    root = SHOP.lay(tmp_path)
    settings = root / "dbproof.toml"
    settings.write_text(settings.read_text().partition("# The tills")[0].partition("\n\n")[2])
    repository(root, {}).branch("change")
    below = LATEST
    for name, (up, down) in ADDED.items():
        text = REVISION.format(revision=name, below=below, up=up, down=down)
        if name == "3_accepted":
            text = text.replace("def downgrade():", "def downgrade():  # dbproof: allow down-restores, a backup is taken")
        (root / "migrations" / "versions" / f"{name}.py").write_text(text)
        below = name
    run = run_on(root)
    assert "undo      4 migrations down and up again on a copy" in run.said
    check = run.check("down-restores")
    found = {finding["subject"]: finding for finding in check["findings"]}
    assert {subject: (one["severity"], one["state"]) for subject, one in found.items()} == {
        "4_shorter": ("warning", "new"),
        "2_once": ("notice", "new"),
        "3_accepted": ("notice", "allowed"),
    }
    assert check["proven"] == 1
    assert found["2_once"]["message"] == (
        "migration 2_once cannot be undone: its way back raises NotImplementedError: restore a backup"
    )
    shorter = found["4_shorter"]
    assert shorter["message"] == (
        "undoing migration 4_shorter does not restore what was there: index order_items.ix_sku is there, and was not; "
        "90 rows of payments hold something else in currency; "
        "column payments.currency has default 'USD'::character varying, expected none; "
        "constraint payments.ck_payment_currency_format is gone"
    )
    assert (shorter["evidence"]["count"], shorter["provenance"]["file"], shorter["provenance"]["line"]) == (
        90,
        "migrations/versions/4_shorter.py",
        12,
    )
