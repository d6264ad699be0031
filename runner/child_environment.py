"""Which of our own environment variables the user's processes get: what programs need to find their files, no secrets."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

_LET_THROUGH = frozenset({
    # who and where
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TERM", "COLUMNS", "LINES", "CI", "XDG_CACHE_HOME",
    "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",
    # how to reach package registries
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
    # where languages keep their things
    "VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYENV_ROOT", "JAVA_HOME", "GOPATH", "GOROOT", "GOCACHE", "GOMODCACHE",
    "GEM_HOME", "GEM_PATH", "BUNDLE_PATH", "RBENV_ROOT", "CARGO_HOME", "RUSTUP_HOME", "NVM_DIR", "NODE_PATH", "DOTNET_ROOT",
    "MIX_HOME", "HEX_HOME",
})  # fmt: skip
_LET_THROUGH_BEGINNINGS = ("LC_", "PIP_", "UV_")
_WITHHELD_BEGINNINGS = ("UV_PUBLISH_",)


def is_let_through(name: str) -> bool:
    """Whether a child gets this variable of ours without being told to."""
    return name in _LET_THROUGH or (name.startswith(_LET_THROUGH_BEGINNINGS) and not name.startswith(_WITHHELD_BEGINNINGS))


def clean_environment(pass_env: Iterable[str] = ()) -> dict[str, str]:
    """What a child gets of our environment; the names in ``pass_env`` are let through as well."""
    named = frozenset(pass_env)
    return {name: value for name, value in os.environ.items() if name in named or is_let_through(name)}


def withheld(names: Iterable[str], handed: Mapping[str, str]) -> tuple[str, ...]:
    """Those of ``names`` that exist here and were not handed to the child, in their order."""
    return tuple(name for name in names if name in os.environ and name not in handed)
