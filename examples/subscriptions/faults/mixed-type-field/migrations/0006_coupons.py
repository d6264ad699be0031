"""Coupons, as they stood in the shop and in the newsletter's own list."""

SCHEMA = {"bsonType": "object", "required": ["code"], "properties": {"code": {"bsonType": "string", "minLength": 4}}}


def up(db):
    db.create_collection("coupons", validator={"$jsonSchema": SCHEMA})
    db.coupons.insert_many([{"code": "SPRING", "discount": 10}, {"code": "AUTUMN", "discount": 15}])
    db.coupons.insert_one({"code": "LETTER", "discount": "20 %"})


def down(db):
    db.coupons.drop()
