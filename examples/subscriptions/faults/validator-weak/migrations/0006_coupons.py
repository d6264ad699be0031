"""Coupons; what the shop already handed out is to be kept as it is, so the validator only warns."""

SCHEMA = {"bsonType": "object", "required": ["code"], "properties": {"code": {"bsonType": "string", "minLength": 4}}}


def up(db):
    db.create_collection("coupons", validator={"$jsonSchema": SCHEMA}, validationAction="warn")


def down(db):
    db.coupons.drop()
