"""The data directory that every local server begins with: made by ``mariadb-install-db`` once, kept in the cache."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from runner.errors import ServerFailed
from runner.servers.account import Account
from runner.servers.cache import kept
from runner.servers.files import copy_cluster, publish
from runner.servers.mariadb.installations import Installation
from runner.servers.mariadb.process import environment, unstartable

_FORMAT = "1"
_PATIENCE = 120.0


def lay(installation: Installation, run: Path, account: Account, data: Path) -> None:
    """Make ``data`` a fresh data directory: a copy of the cached one, which is made first where it is missing.

    What cannot be cached is made for this run alone. Raises ServerFailed.
    """

    def build(target: Path) -> None:
        scratch = Path(tempfile.mkdtemp(prefix="new-", dir=run))
        scratch.chmod(0o711)
        try:
            shutil.copytree(_made(installation, scratch, account), target)
            publish(target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    cached = kept(directory_name(installation), build)
    if cached is None:
        build(run / "fresh")
    copy_cluster(cached or run / "fresh", data, account)


def directory_name(installation: Installation) -> str:
    """What it is called in the cache. No uid is part of it: the copy belongs to whoever makes it."""
    stamp = (installation.program, installation.program.stat().st_size, installation.version, _FORMAT)
    digest = hashlib.sha256(repr(stamp).encode("utf-8", "surrogateescape")).hexdigest()
    return f"mariadb-{'.'.join(map(str, installation.version[:2]))}-{digest[:16]}"


def _made(installation: Installation, scratch: Path, account: Account) -> Path:
    """Passwords come when the server starts on a copy of it; until then there is nobody who could connect."""
    account.own(scratch)
    data = scratch / "data"
    options = [
        "--no-defaults",
        f"--datadir={data}",
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
        "--skip-name-resolve",
        "--innodb-log-file-size=16M",
        "--innodb-flush-method=nosync",
        f"--tmpdir={scratch}",
    ]
    try:
        done = subprocess.run(  # noqa: S603 (our own arguments, no shell)
            [str(installation.maker), *options],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            cwd=scratch,
            env=environment(),
            timeout=_PATIENCE,
            check=False,
            **account.options(),
        )
    except OSError as error:
        raise ServerFailed(*unstartable(Path(str(installation.maker)), error)) from None
    except subprocess.TimeoutExpired:
        raise ServerFailed(f"mariadb-install-db took longer than {_PATIENCE:.0f} s", "See what slows the disk down.") from None
    if done.returncode:
        tail = "\n".join(f"  {line}" for line in (done.stdout + done.stderr).decode("utf-8", "replace").splitlines()[-8:])
        raise ServerFailed(f"mariadb-install-db failed ({installation.maker})\n{tail}", "See its words above.")
    return data
