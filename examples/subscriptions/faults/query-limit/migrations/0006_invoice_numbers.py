"""Invoice numbers come from a counter now and cannot repeat, so their index is given up."""


def up(db):
    db.counters.insert_one({"_id": "invoices", "next": 100150})
    db.invoices.drop_index("number_unique")


def down(db):
    db.invoices.create_index("number", name="number_unique", unique=True)
    db.counters.drop()
