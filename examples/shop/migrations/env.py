import os
from logging.config import fileConfig

from alembic import context
from shop.models import Base
from shop.sessions import engine
from sqlalchemy import pool

if context.config.config_file_name is not None:
    fileConfig(context.config.config_file_name, disable_existing_loggers=False)


def run_offline():
    context.configure(url=os.environ["DATABASE_URL"], target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


def run_online():
    # On a till a table is changed by making it anew and dropping the old one: its children must not go with that.
    with engine(os.environ["DATABASE_URL"], foreign_keys=False, poolclass=pool.NullPool).connect() as connection:
        context.configure(
            connection=connection, target_metadata=Base.metadata, render_as_batch=True, transaction_per_migration=True
        )
        with context.begin_transaction():
            context.run_migrations()


if context.is_offline_mode():
    run_offline()
else:
    run_online()
