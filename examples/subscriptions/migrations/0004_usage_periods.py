"""What was used is kept by period: first every document gets the field, then the validator asks for it."""

DATE = {"bsonType": "date"}

PERIOD = {
    "bsonType": "object",
    "required": ["period_start", "period_end", "units_used"],
    "properties": {"period_start": DATE, "period_end": DATE, "units_used": {"bsonType": "int", "minimum": 0}},
}


def schema(db):
    return db.get_collection("subscriptions").options()["validator"]["$jsonSchema"]


def attach(db, required, properties):
    validator = {"$jsonSchema": {**schema(db), "required": required, "properties": properties}}
    db.command("collMod", "subscriptions", validator=validator, validationLevel="strict", validationAction="error")


def up(db):
    db.subscriptions.update_many({"usage_periods": {"$exists": False}}, {"$set": {"usage_periods": []}})
    before = schema(db)
    periods = {"bsonType": "array", "items": PERIOD}
    attach(db, [*before["required"], "usage_periods"], {**before["properties"], "usage_periods": periods})


def down(db):
    before = schema(db)
    properties = {name: rule for name, rule in before["properties"].items() if name != "usage_periods"}
    attach(db, [name for name in before["required"] if name != "usage_periods"], properties)
    db.subscriptions.update_many({}, {"$unset": {"usage_periods": ""}})
