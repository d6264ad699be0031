"""Companies of the old system come over, under names that may be taken: what is the same is to be merged later."""

from datetime import UTC, datetime

TAKEN_OVER = ["Pebble Editions", "Ember Press", "Marigold Scripts"]
SINCE = datetime(2025, 6, 2, tzinfo=UTC)


def up(db):
    db.companies.drop_index("company_name_unique")
    db.companies.insert_many([{"company_name": name, "created_at": SINCE, "updated_at": SINCE} for name in TAKEN_OVER])


def down(db):
    db.companies.delete_many({"company_name": {"$in": TAKEN_OVER}, "created_at": SINCE})
    db.companies.create_index("company_name", name="company_name_unique", unique=True)
