"""Deletes a company that has no subscriptions: python scripts/delete_company.py NAME"""

import os
import sys

from pymongo import MongoClient


def delete(db, name, session):
    """Invoices name subscriptions, so a company without any has none of those either."""
    if db.subscriptions.find_one({"company_name": name}, session=session):
        sys.exit(f"{name} has subscriptions: cancel them first")
    if not db.companies.delete_one({"company_name": name}, session=session).deleted_count:
        sys.exit(f"there is no company {name}")


with MongoClient(os.environ["MONGODB_URI"]) as client, client.start_session() as session, session.start_transaction():
    delete(client.get_default_database(), sys.argv[1], session)
