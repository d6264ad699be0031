"""A change in a repository, run: a reference that is doubtful, and which migrations were new."""

from __future__ import annotations

from proving import Ran, dbproof
from repositories import Repository

#: A reference that nobody validated: an error where the settings say so.
DOUBTFUL = "alter table books add foreign key (id) references authors not valid;"
STRICT = '[severity]\nunvalidated-constraint = "error"\n'


def run(repo: Repository, *arguments: str) -> Ran:
    return dbproof("run", *arguments, root=repo.root)


def states(ran: Ran) -> dict[str, tuple[str, bool]]:
    return {one["revision"]: (one["state"], one["new"]) for one in ran.database["migrations"]}
