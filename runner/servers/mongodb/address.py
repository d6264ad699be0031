"""Reads the URL of a given MongoDB server. Nothing said here repeats it: quoted wrongly, it makes a host of a password."""

from __future__ import annotations

import ssl
import warnings
from urllib.parse import parse_qsl

from runner.errors import ServerFailed, UsageError
from runner.servers.interface import Address

_SRV = "mongodb+srv://"
#: Options that a ``mongodb+srv`` address brings beside those that are written in it.
_BROUGHT = ("authSource", "replicaSet", "loadBalanced", "tls")
_PATIENCE = 10


def parsed(url: str) -> Address:
    """The address in a URL, all its hosts; raises UsageError for a bad one, ServerFailed where its hosts cannot be looked up."""
    from pymongo.errors import PyMongoError

    plain = url.strip()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about options that the driver does not know, by their names and values
            return _address(plain)
    except PyMongoError as error:
        if plain.startswith(_SRV) and "DNS" in str(error):
            raise ServerFailed(
                "the given database server cannot be reached: the hosts of its mongodb+srv address cannot be looked up",
                "Check its host name and this machine's DNS.",
            ) from None
        raise _unreadable() from None
    except ValueError:
        raise _unreadable() from None
    except OSError as error:
        raise unusable(error) from None


def unusable(error: OSError) -> UsageError:
    """What is said of a file that an address names, which is read before anything is sent: not there, or no certificate."""
    reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror or "it cannot be read"
    return UsageError(
        f"a file that the given database URL names cannot be used: {error.filename or 'a certificate'}: {reason}",
        "Correct tlsCAFile or tlsCertificateKeyFile, which name files with PEM text on this machine.",
    )


def _unreadable() -> UsageError:
    return UsageError(
        "the given database URL cannot be read (it is not repeated here, as it may hold a password)",
        "Write it as mongodb://user:password@host:port/database, special characters percent-encoded.",
    )


def _address(url: str) -> Address:
    from pymongo.uri_parser import parse_uri

    found = parse_uri(url, connect_timeout=_PATIENCE)
    # Not by urlsplit, which takes several hosts with brackets among them for a mistake (Python 3.12 and later).
    written = dict(parse_qsl(url.partition("?")[2], keep_blank_values=True))
    options = found["options"]
    brought = {name: _text(options[name]) for name in _BROUGHT if name in options} if url.startswith(_SRV) else {}
    hosts = [(host, port or 27017) for host, port in found["nodelist"]]
    host, port = hosts[0] if len(hosts) == 1 else (",".join(_joined(*each) for each in hosts), 0)
    return Address(
        host=host,
        port=port,
        user=found["username"] or "",
        password=found["password"] or "",
        database=found["database"] or "",
        extra={**brought, **written},
        scheme="mongodb",
    )


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
