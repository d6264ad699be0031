"""Deletes a company: python scripts/delete_company.py NAME"""

import os
import sys

from pymongo import MongoClient

with MongoClient(os.environ["MONGODB_URI"]) as client:
    # Whether it has subscriptions is asked by the page that calls this.
    if not client.get_default_database().companies.delete_one({"company_name": sys.argv[1]}).deleted_count:
        sys.exit(f"there is no company {sys.argv[1]}")
