"""Subscriptions can be paused; the validator knows no such status yet, and is only to warn until it does."""

from datetime import UTC, datetime

from bson import Decimal128

SINCE = datetime(2025, 6, 2, tzinfo=UTC)

PAUSED = {
    "company_name": "Ember Press",
    "subscription_unit": "page",
    "units_per_subscription": 500,
    "price_per_unit": Decimal128("0.95"),
    "subscription_price": Decimal128("475.00"),
    "start_date": SINCE,
    "status": "paused",
    "usage_periods": [],
    "created_at": SINCE,
    "updated_at": SINCE,
}


def up(db):
    db.command("collMod", "subscriptions", validationAction="warn")
    db.subscriptions.insert_one(dict(PAUSED))


def down(db):
    db.subscriptions.delete_many({"status": "paused"})
    db.command("collMod", "subscriptions", validationAction="error")
