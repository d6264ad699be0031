"""Indexes for what is asked most: a company's active subscriptions, and those that begin or end soon."""

INDEXES = {
    "company_status_idx": [("company_name", 1), ("status", 1)],
    "start_date_idx": [("start_date", 1)],
}


def up(db):
    for name, keys in INDEXES.items():
        db.subscriptions.create_index(keys, name=name)
    db.subscriptions.create_index("end_date", name="end_date_idx", partialFilterExpression={"end_date": {"$type": "date"}})


def down(db):
    for name in (*INDEXES, "end_date_idx"):
        db.subscriptions.drop_index(name)
