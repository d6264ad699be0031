"""Companies, each under a name of its own."""

NAME = {"bsonType": "string", "minLength": 1, "maxLength": 255}
DATE = {"bsonType": "date"}

COMPANIES = {
    "bsonType": "object",
    "required": ["company_name", "created_at", "updated_at"],
    "properties": {"company_name": NAME, "created_at": DATE, "updated_at": DATE},
}


def up(db):
    db.create_collection("companies", validator={"$jsonSchema": COMPANIES})
    db.companies.create_index("company_name", name="company_name_unique", unique=True)
    db.companies.create_index("created_at", name="created_at_asc")


def down(db):
    db.companies.drop()
