"""The cluster that every local server begins as: made by ``initdb``, with the recorder in its template, kept in the cache."""

from __future__ import annotations

import hashlib
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from runner.errors import ServerFailed
from runner.recorder.install import DIGEST
from runner.servers.account import Account, has_entry
from runner.servers.cache import kept
from runner.servers.files import copy_cluster, publish
from runner.servers.installations import Installation
from runner.servers.interface import Address
from runner.servers.postgresql.process import Seat, environment, start, unstartable
from runner.servers.postgresql.sessions import ours, session

_FORMAT = "1"
_PATIENCE = 120.0
_PLAIN = ("--locale=C.UTF-8", "--locale=C")
_BUILTIN = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")


def lay(
    installation: Installation, binaries: Path, run: Path, account: Account, data: Path, options: tuple[str, ...] = ()
) -> None:
    """Make ``data`` a fresh cluster: a copy of the cached one, which is made first where it is missing.

    ``binaries`` are the installation's, where the account can execute them. What cannot be cached is made for this run alone.
    ``options`` are further ones for ``initdb``, in place of ours where they say the same.
    """

    def build(target: Path) -> None:
        scratch = Path(tempfile.mkdtemp(prefix="new-", dir=run))
        scratch.chmod(0o711)
        try:
            made = _made(installation, binaries, scratch, account, options)
            shutil.copytree(made, target)
            publish(target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    cached = kept(cluster_name(installation, options), build)
    if cached is None:
        build(run / "cluster")
    copy_cluster(cached or run / "cluster", data, account)


def cluster_name(installation: Installation, options: tuple[str, ...] = ()) -> str:
    """What the cluster of an installation is called in the cache: by the program's place, size and version, and the recorder.

    No uid is part of it: the copy belongs to whoever makes it, so an image can be shipped with a filled cache.
    """
    file = installation.binaries / "postgres"
    stamp = (file, file.stat().st_size, installation.version, DIGEST, _FORMAT, *options)
    digest = hashlib.sha256(repr(stamp).encode("utf-8", "surrogateescape")).hexdigest()
    return f"cluster-{installation.major}-{digest[:16]}"


def _made(installation: Installation, binaries: Path, scratch: Path, account: Account, options: tuple[str, ...]) -> Path:
    if not has_entry(account):
        raise ServerFailed(
            f"initdb refuses user id {account.uid}: it has no entry in /etc/passwd, and no cluster is cached for {installation}",
            "Set DBPROOF_CACHE to a cache that another user filled (the image has one), or add an entry to /etc/passwd.",
        )
    account.own(scratch)
    seat = Seat(binaries, installation.major, scratch / "data", scratch / "socket", scratch / "logs", account)
    _initdb(seat, options)
    _install_recorder(seat)
    return seat.data


def _initdb(seat: Seat, options: tuple[str, ...]) -> None:
    locales: tuple[tuple[str, ...], ...] = ((_BUILTIN,) if seat.major >= 17 else ()) + tuple((each,) for each in _PLAIN)
    if any("locale" in each or each.startswith("--lc-") for each in options):
        locales = ((),)
    words = ""
    for locale in locales:
        done = _run_initdb(seat, (*locale, *options))
        if done.returncode == 0:
            return
        words = done.stderr.decode("utf-8", "replace").strip()
        if "locale" not in words:
            break
    tail = "\n".join(f"  {line}" for line in words.splitlines()[-8:])
    raise ServerFailed(f"initdb failed ({seat.binaries})\n{tail}", "See initdb's words above.")


def _run_initdb(seat: Seat, locale: tuple[str, ...]) -> subprocess.CompletedProcess[bytes]:
    command = [str(seat.binaries / "initdb"), "--pgdata", str(seat.data), "--username", "postgres", "--encoding", "UTF8"]
    options = ["--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync", *locale]
    try:
        return subprocess.run(  # noqa: S603 (our own arguments, no shell)
            [*command, *options],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            cwd=seat.data.parent,
            env=environment(),
            timeout=_PATIENCE,
            check=False,
            **seat.account.options(),
        )
    except OSError as error:
        raise ServerFailed(*unstartable(seat.binaries / "initdb", error)) from None
    except subprocess.TimeoutExpired:
        raise ServerFailed(
            f"initdb took longer than {_PATIENCE:.0f} s ({seat.binaries})", "See what slows the disk down."
        ) from None


def _install_recorder(seat: Seat) -> None:
    """Into ``template1``, so that every database made afterwards carries it."""
    from runner.recorder.install import install

    seat.prepare()
    postmaster = start(seat)
    try:
        with session(ours(Address(str(seat.socket), postmaster.port, "postgres", "", "template1"))) as connection:
            install(connection)
    finally:
        postmaster.stop(signal.SIGINT)
    for name in ("postmaster.opts", "pg_hba.conf", "postgresql.conf"):
        (seat.data / name).unlink(missing_ok=True)
