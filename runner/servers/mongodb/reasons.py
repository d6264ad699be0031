"""Why a connection to MongoDB came to nothing, in words that repeat nothing of its address."""

from __future__ import annotations

import re

_HOST = "its host name is not known (special characters of a password must be percent-encoded)"
_USER = "it does not accept the user and password (authSource names the database that the user belongs to)"
_NO_TLS = "the URL asks for TLS, which it does not speak"
_SIGNED = "its certificate is not accepted: nobody whom tlsCAFile or this machine trusts signed it"

#: What the driver and Python's ``ssl`` say, the most telling first, and what that means.
_REASONS = (
    ("Authentication failed", _USER),
    ("auth failed", _USER),
    ("requires authentication", "it wants a user and password"),
    ("not authorized", "its user may not do this"),
    ("Name or service not known", _HOST),
    ("nodename nor servname", _HOST),
    ("No address associated", _HOST),
    ("Temporary failure in name resolution", "its host name cannot be looked up from here"),
    ("certificate has expired", "its certificate has expired"),
    ("certificate is not yet valid", "its certificate is not valid yet"),
    ("certificate is not valid for", "its certificate is not accepted: it is for another host than the URL names"),
    ("CERTIFICATE_VERIFY_FAILED", _SIGNED),
    ("CERTIFICATE_REQUIRED", "it wants a client's certificate (tlsCertificateKeyFile)"),
    ("ALERT_INTERNAL_ERROR", "it turned this machine away (Atlas: add its address under Network Access)"),
    ("WRONG_VERSION_NUMBER", _NO_TLS),
    ("UNEXPECTED_EOF", _NO_TLS),
    ("SSL", "it and the URL do not agree on encryption"),
    ("connection closed", "it closed the connection: it may want TLS (tls=true), or a client's certificate"),
    ("Got response id", "what answers at its address is no MongoDB"),
    ("refused", "nothing listens at its address"),
    ("unreachable", "its address cannot be reached from here"),
    ("No route to host", "its address cannot be reached from here"),
    ("replica set", "no member of the replica set that the URL names answers"),
    ("No primary", "its replica set has no primary"),
    ("timed out", "it did not answer in time"),
)
#: How the driver names what it lacks: ``python -m pip install 'pymongo[aws]'``.
_EXTRA = re.compile(r"pymongo\[(?P<name>\w+)\]")


def reason_of(error: Exception) -> str:
    """Why a connection came to nothing, without what the driver repeats of the address."""
    said = str(error)
    if extra := _EXTRA.search(said):
        return f"its way of signing in needs `pip install 'pymongo[{extra['name']}]'` beside dbproof"
    return next((reason for pattern, reason in _REASONS if pattern in said), "the connection failed")
