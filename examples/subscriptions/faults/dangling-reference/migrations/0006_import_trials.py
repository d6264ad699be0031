"""Trials that were kept in a spreadsheet become subscriptions; nobody made their companies."""

from datetime import UTC, datetime

from bson import Decimal128

TRIALS = {"Willow Captions": "word", "Willow Captions Ltd": "word", "Zenith Glossaries": "page"}
BEGIN = datetime(2025, 6, 2, tzinfo=UTC)


def trial(company_name, unit):
    return {
        "company_name": company_name,
        "subscription_unit": unit,
        "units_per_subscription": 500,
        "price_per_unit": Decimal128("0"),
        "subscription_price": Decimal128("0"),
        "start_date": BEGIN,
        "end_date": None,
        "status": "active",
        "usage_periods": [],
        "created_at": BEGIN,
        "updated_at": BEGIN,
    }


def up(db):
    db.subscriptions.insert_many([trial(name, unit) for name, unit in TRIALS.items()])


def down(db):
    db.subscriptions.delete_many({"company_name": {"$in": list(TRIALS)}})
