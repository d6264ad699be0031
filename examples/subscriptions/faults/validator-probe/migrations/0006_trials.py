"""A trial is a subscription of no units, until it is bought."""

UNITS = {"bsonType": "int"}


def attach(db, units):
    schema = db.get_collection("subscriptions").options()["validator"]["$jsonSchema"]
    properties = {**schema["properties"], "units_per_subscription": units}
    db.command("collMod", "subscriptions", validator={"$jsonSchema": {**schema, "properties": properties}})


def up(db):
    attach(db, UNITS)


def down(db):
    attach(db, {**UNITS, "minimum": 1})
