"""The configuration of a MongoDB server of ours: small, no waiting for the disk, and a log of what the project sends."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from runner.servers.interface import OURS

#: The name of the replica set.
SET = "dbproof"
#: What the comments of our own commands begin with that are to be found in the log.
MARK = "dbproof:mark:"

# What the log holds of commands: everything that is not ours. Documents that are inserted are no part of it.
_FILTER = f'{{$or: [{{appName: {{$ne: "{OURS}"}}}}, {{"command.comment": {{$regex: "^{MARK}"}}}}]}}'
#: A command is cut in the log after so many KB; longer ones lose what they made.
_LONGEST_RECORD = 1024


def configuration(port: int, data: str, key: str, log: str, bind: str) -> str:
    """The server's configuration file: JSON, which is YAML too."""
    return json.dumps(
        {
            "net": {"port": port, "bindIp": bind, "unixDomainSocket": {"enabled": False}},
            "storage": {
                "dbPath": data,
                "wiredTiger": {
                    # Without the files that the journal makes in advance a server takes 11 MB of disk, not 300. With half the
                    # cache a document of 16 MB is refused (error 388), as it and its line in the oplog do not fit.
                    "engineConfig": {"cacheSizeGB": 0.5, "configString": "log=(prealloc=false,file_max=10MB)"}
                },
            },
            "replication": {"replSetName": SET, "oplogSizeMB": 990},
            "security": {"keyFile": key},
            "systemLog": {"destination": "file", "path": log, "logAppend": True},
            "operationProfiling": {"filter": _FILTER},
            "setParameter": _PARAMETERS,
        }
    )


# No user may come in without a password, not even a first one; documents do not vanish by their age while they are judged;
# passwords are hashed as often as the server allows at least.
_PARAMETERS: Mapping[str, Any] = {
    "enableLocalhostAuthBypass": False,
    "ttlMonitorEnabled": False,
    "diagnosticDataCollectionEnabled": False,
    "scramSHA256IterationCount": 5000,
    "maxLogSizeKB": _LONGEST_RECORD,
}


def members(host: str) -> dict[str, Any]:
    """The configuration of the replica set: this server alone, which need not wait for anybody."""
    return {
        "_id": SET,
        "version": 1,
        "members": [{"_id": 0, "host": host}],
        "writeConcernMajorityJournalDefault": False,
        "settings": {"electionTimeoutMillis": 100, "catchUpTimeoutMillis": 0},
    }
