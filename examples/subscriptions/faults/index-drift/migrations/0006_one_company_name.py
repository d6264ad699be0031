"""A company's name is unique; here that of its subscriptions too."""


def up(db):
    db.subscriptions.drop_index("company_name_idx")
    db.subscriptions.create_index("company_name", name="company_name_unique", unique=True)


def down(db):
    db.subscriptions.drop_index("company_name_unique")
    db.subscriptions.create_index("company_name", name="company_name_idx")
