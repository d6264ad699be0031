"""`inv-100000` and `INV-100000` are one number from now on."""


def up(db):
    db.invoices.drop_index("number_unique")
    db.invoices.create_index("number", name="number_unique", unique=True, collation={"locale": "en", "strength": 2})


def down(db):
    db.invoices.drop_index("number_unique")
    db.invoices.create_index("number", name="number_unique", unique=True)
