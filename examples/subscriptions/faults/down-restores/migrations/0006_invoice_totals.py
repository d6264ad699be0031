"""A company's latest invoices are listed with their totals, which the index is to give too."""


def up(db):
    db.invoices.drop_index("company_issued_idx")
    db.invoices.create_index([("company_name", 1), ("issued_at", -1), ("total", 1)], name="company_issued_total_idx")


def down(db):
    db.invoices.drop_index("company_issued_total_idx")
