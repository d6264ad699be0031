from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from reports.sample import HOSTILE, TYPICAL, everything
from runner.errors import Exit
from runner.redaction import Redactor
from runner.reports import writing
from runner.reports.registry import REPORTERS
from runner.text import clean

NAMES = ["junit.xml", "metrics.prom", "report.json", "summary.md"]


def test_every_format_is_written_and_nothing_else(tmp_path: Path) -> None:
    directory = tmp_path / "made" / "here"
    paths = writing.write(clean(everything(HOSTILE), Redactor()), directory)
    assert sorted(path.name for path in paths) == NAMES
    assert sorted(path.name for path in directory.iterdir()) == NAMES
    assert list(writing.names(directory)) == [path.as_posix() for path in paths]
    for reporter in REPORTERS.values():
        expected = reporter.render(clean(everything(HOSTILE), Redactor()))
        assert (directory / reporter.FILE).read_bytes() == expected.encode()


def test_older_reports_are_replaced(tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / name).write_text("old")
    writing.write(TYPICAL, tmp_path)
    assert json.loads((tmp_path / "report.json").read_text())["verdict"] == "no-go"
    assert sorted(path.name for path in tmp_path.iterdir()) == NAMES


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    report, seen, stop = clean(everything(HOSTILE * 5), Redactor()), set[int](), threading.Event()
    writing.write(report, tmp_path)

    def read() -> None:
        while not stop.is_set():
            seen.add((tmp_path / "report.json").stat().st_size)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(5):
        writing.write(report, tmp_path)
    stop.set()
    reader.join()
    assert len(seen) == 1


def test_a_link_in_place_of_a_report_is_replaced_and_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("keep")
    directory = tmp_path / "reports"
    directory.mkdir()
    (directory / "junit.xml").symlink_to(precious)
    writing.write(TYPICAL, directory)
    assert precious.read_text() == "keep"
    assert not (directory / "junit.xml").is_symlink()


@pytest.mark.parametrize("path", ["link", "link/below"])
def test_a_link_in_the_repository_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to("elsewhere")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(writing.ReportNotWritten, match="symbolic link") as caught:
        writing.write(TYPICAL, Path(path))
    assert caught.value.exit is Exit.ENVIRONMENT
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_link_above_a_path_of_the_users_own_is_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to("elsewhere")
    writing.write(TYPICAL, tmp_path / "link" / "below")
    assert len(list((tmp_path / "elsewhere" / "below").iterdir())) == len(NAMES)


def test_one_that_fails_does_not_keep_the_others(tmp_path: Path) -> None:
    (tmp_path / "junit.xml").mkdir()
    with pytest.raises(writing.ReportNotWritten, match=r"junit.xml: the report could not be written") as caught:
        writing.write(TYPICAL, tmp_path)
    assert "report.json" not in caught.value.message
    assert "A directory stands" in caught.value.remedy
    assert sorted(path.name for path in tmp_path.iterdir()) == NAMES


def test_a_file_where_the_directory_has_to_be(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("")
    for directory in (tmp_path / "reports", tmp_path / "reports" / "below"):
        with pytest.raises(writing.ReportNotWritten) as caught:
            writing.write(TYPICAL, directory)
        assert "A file stands where a directory has to" in caught.value.remedy


def test_a_path_that_cannot_be_one() -> None:
    with pytest.raises(writing.ReportNotWritten, match="null"):
        writing.write(TYPICAL, Path("/tmp/a\0b"))


def test_a_directory_that_may_not_be_written_to(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    for parent in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        parent.chmod(0o755)
    unprivileged = os.geteuid() == 0
    if unprivileged:
        os.seteuid(65534)
    try:
        for directory in (locked, locked / "below"):
            with pytest.raises(writing.ReportNotWritten, match="permission denied") as caught:
                writing.write(TYPICAL, directory)
            assert "--report-dir" in caught.value.remedy
    finally:
        if unprivileged:
            os.seteuid(0)


def test_no_room_left_leaves_nothing_behind(tmp_path: Path) -> None:
    """A limit on the size of files stands in for a full disk: the system refuses the write in the same way."""
    (tmp_path / "junit.xml").write_text("old")
    script = (
        "import resource, signal, sys, pathlib\n"
        "from reports.sample import TYPICAL\n"
        "from runner.reports.writing import ReportNotWritten, write\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "try:\n"
        "    write(TYPICAL, pathlib.Path(sys.argv[1]))\n"
        "except ReportNotWritten as error:\n"
        "    print(error.message)\n"
    )
    tests = Path(__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tests), str(tests.parent)]), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.count("could not be written: file too large") == len(NAMES)
    assert [path.name for path in tmp_path.iterdir()] == ["junit.xml"]
    assert (tmp_path / "junit.xml").read_text() == "old"


@pytest.mark.parametrize(("name", "text"), [("a.json", "{"), ("a.xml", "<a>"), ("a.xml", "<a/><b/>"), ("a.json", "")])
def test_what_does_not_parse_is_refused(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(writing.ReportNotWritten, match="read again"):
        writing._write(tmp_path / name, text)
