"""Contracts of the old tool get their numbers, each of which is to stand once."""

from datetime import UTC, datetime

from bson import Decimal128

SIGNED = datetime(2023, 5, 15, tzinfo=UTC)
CONTRACTS = [("Ember Press", "C-2041"), ("Pebble Editions", "C-2057"), ("Ember Press", "C-2041")]


def contract(company_name, number):
    return {
        "company_name": company_name,
        "contract_number": number,
        "subscription_unit": "page",
        "units_per_subscription": 500,
        "price_per_unit": Decimal128("0.95"),
        "subscription_price": Decimal128("475.00"),
        "start_date": SIGNED,
        "status": "expired",
        "usage_periods": [],
        "created_at": SIGNED,
        "updated_at": SIGNED,
    }


def up(db):
    db.subscriptions.insert_many([contract(*one) for one in CONTRACTS])
    numbered = {"contract_number": {"$exists": True}}
    db.subscriptions.create_index("contract_number", name="contract_number_unique", unique=True, partialFilterExpression=numbered)


def down(db):
    db.subscriptions.drop_index("contract_number_unique")
    db.subscriptions.delete_many({"contract_number": {"$exists": True}})
