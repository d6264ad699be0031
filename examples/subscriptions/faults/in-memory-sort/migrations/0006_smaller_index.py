"""A company has few invoices: its name alone finds them, and the index takes half the room."""


def up(db):
    db.invoices.create_index("company_name", name="company_idx")
    db.invoices.drop_index("company_issued_idx")


def down(db):
    db.invoices.create_index([("company_name", 1), ("issued_at", -1)], name="company_issued_idx")
    db.invoices.drop_index("company_idx")
