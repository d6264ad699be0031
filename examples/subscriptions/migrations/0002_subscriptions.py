"""Subscriptions name their company; a company may hold several."""

NAME = {"bsonType": "string", "minLength": 1, "maxLength": 255}
PRICE = {"bsonType": "decimal", "minimum": 0}
DATE = {"bsonType": "date"}

SUBSCRIPTIONS = {
    "bsonType": "object",
    "required": [
        *("company_name", "subscription_unit", "units_per_subscription", "price_per_unit", "subscription_price", "start_date"),
        *("status", "created_at", "updated_at"),
    ],
    "properties": {
        "company_name": NAME,
        "subscription_unit": {"enum": ["page", "word", "character"]},
        "units_per_subscription": {"bsonType": "int", "minimum": 1},
        "price_per_unit": PRICE,
        "subscription_price": PRICE,
        "start_date": DATE,
        "end_date": {"bsonType": ["date", "null"]},
        "status": {"enum": ["active", "inactive", "expired"]},
        "created_at": DATE,
        "updated_at": DATE,
    },
}


def up(db):
    db.create_collection("subscriptions", validator={"$jsonSchema": SUBSCRIPTIONS})
    db.subscriptions.create_index("company_name", name="company_name_idx")
    db.subscriptions.create_index("status", name="status_idx")
    db.subscriptions.create_index("created_at", name="created_at_asc")


def down(db):
    db.subscriptions.drop()
