"""A company is billed in a country."""

NAME = {"bsonType": "string", "minLength": 1, "maxLength": 255}
DATE = {"bsonType": "date"}
COUNTRY = {"bsonType": "string", "pattern": "^[A-Z]{2}$"}

COMPANIES = {
    "bsonType": "object",
    "required": ["company_name", "billing_country", "created_at", "updated_at"],
    "properties": {"company_name": NAME, "billing_country": COUNTRY, "created_at": DATE, "updated_at": DATE},
}


def up(db):
    db.companies.update_many({"billing_country": {"$exists": False}}, {"$set": {"billing_country": "DE"}})
    db.command("collMod", "companies", validator={"$jsonSchema": COMPANIES})


def down(db):
    before = {name: rule for name, rule in COMPANIES["properties"].items() if name != "billing_country"}
    validator = {"bsonType": "object", "required": list(before), "properties": before}
    db.command("collMod", "companies", validator={"$jsonSchema": validator})
