"""Invoices, whose lines name the subscriptions that are billed."""

NUMBER = {"bsonType": "string", "pattern": "^INV-[0-9]{6}$"}
AMOUNT = {"bsonType": "decimal", "minimum": 0}

LINE = {
    "bsonType": "object",
    "required": ["subscription_id", "units", "amount"],
    "properties": {"subscription_id": {"bsonType": "objectId"}, "units": {"bsonType": "int", "minimum": 0}, "amount": AMOUNT},
}

INVOICES = {
    "bsonType": "object",
    "required": ["number", "company_name", "issued_at", "lines", "total"],
    "properties": {
        "number": NUMBER,
        "company_name": {"bsonType": "string", "minLength": 1, "maxLength": 255},
        "issued_at": {"bsonType": "date"},
        "lines": {"bsonType": "array", "minItems": 1, "items": LINE},
        "total": AMOUNT,
    },
}


def up(db):
    db.create_collection("invoices", validator={"$jsonSchema": INVOICES})
    db.invoices.create_index("number", name="number_unique", unique=True)
    db.invoices.create_index([("company_name", 1), ("issued_at", -1)], name="company_issued_idx")
    db.invoices.create_index("lines.subscription_id", name="line_subscription_idx")


def down(db):
    db.invoices.drop()
