from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from runner import children
from runner.child_environment import clean_environment, withheld
from runner.children import Command, Finished
from runner.errors import Cancelled, Exit, ToolFailed
from runner.lines import Line, Message


def command(*arguments: str, directory: Path, timeout: float = 30.0, **variables: str) -> Command:
    return Command(arguments, directory, {**clean_environment(), **variables}, timeout)


def python(text: str, directory: Path, timeout: float = 30.0) -> Command:
    return command(sys.executable, "-c", text, directory=directory, timeout=timeout)


def gone(pid: int) -> bool:
    """Whether a process has ended (its remains may wait for their parent)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def becomes_true(condition: object, seconds: float = 10.0) -> bool:
    assert callable(condition)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.01)
    return False


@pytest.fixture(autouse=True)
def private_temporary(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("t")
    monkeypatch.setattr("tempfile.tempdir", str(place))
    yield place
    assert list(place.iterdir()) == []


#: A child with a grandchild in its group that shrugs off TERM, and one that left for a session of its own.
FAMILY = """
import os, signal, subprocess, sys, time
stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(600)"
one = subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE)
two = subprocess.Popen([sys.executable, "-c", stubborn], stdout=subprocess.PIPE, start_new_session=True)
one.stdout.readline(), two.stdout.readline()
print(os.getpid(), one.pid, two.pid, flush=True)
"""


def test_gives_lines_of_both_streams_then_the_status(tmp_path: Path) -> None:
    text = "import sys; print('one', flush=True); print('two', file=sys.stderr, flush=True); print('no end', end=''); sys.exit(7)"
    heard = list(children.listen(python(text, tmp_path)))
    assert heard == [Line("one"), Line("two"), Line("no end"), Finished(7, False, ("one", "two", "no end"))]


def test_runs_where_it_is_told_with_nothing_to_read_and_no_shell(tmp_path: Path) -> None:
    place = tmp_path / "a $(id) 'b"
    place.mkdir()
    text = "import os, sys; print(os.getcwd()); print(repr(sys.stdin.read())); print(sys.argv[1])"
    heard = children.run(command(sys.executable, "-c", text, "$HOME; `id` | %", directory=place))
    assert heard.tail == (str(place), "''", "$HOME; `id` | %")


def test_tolerates_bytes_that_are_no_text_and_cuts_long_lines(tmp_path: Path) -> None:
    text = r"import os; os.write(1, b'\xff\xfe ok\r\n' + b'x' * 1_000_000 + b'\nafter\n')"
    first, long, after, _ = (one for one in children.listen(python(text, tmp_path)))
    assert first == Line("\ufffd\ufffd ok")
    assert isinstance(long, Line)
    assert long.text.startswith("xxx")
    assert long.text.endswith("x …")
    assert len(long.text) < 10_000
    assert after == Line("after")


def test_keeps_only_the_last_lines(tmp_path: Path) -> None:
    finished = children.run(python("for i in range(100_000): print(i)", tmp_path))
    assert finished.tail[-1] == "99999"
    assert len(finished.tail) == 200


def test_messages_come_through_the_pipe_from_a_grandchild_too(tmp_path: Path) -> None:
    say = """import os; open(os.environ['DBPROOF_CHILD'] + '/events', 'w').write('{"n": 1}\\n')"""
    text = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {say!r}], check=True)"
    heard = list(children.listen(python(text, tmp_path)))
    assert heard == [Message({"n": 1}), Finished(0, False, ())]


def test_a_message_that_is_no_json_is_shown(tmp_path: Path) -> None:
    say = "import os; open(os.environ['DBPROOF_CHILD'] + '/events', 'w').write('[1]\\nno json\\n')"
    assert list(children.listen(python(say, tmp_path)))[:2] == [Line("[1]"), Line("no json")]


def test_the_deadline_ends_the_whole_family(tmp_path: Path) -> None:
    heard = list(children.listen(python(FAMILY + "time.sleep(600)", tmp_path, timeout=1.5)))
    last = heard[-1]
    assert isinstance(last, Finished)
    assert last.timed_out
    assert last.status == -signal.SIGTERM
    assert all(becomes_true(lambda pid=pid: gone(int(pid))) for pid in last.tail[0].split())


def test_what_the_program_leaves_behind_ends_with_it(tmp_path: Path) -> None:
    last = children.run(python(FAMILY + "os._exit(0)", tmp_path))
    assert (last.status, last.timed_out) == (0, False)
    assert all(becomes_true(lambda pid=pid: gone(int(pid))) for pid in last.tail[0].split())


def hear_family(directory: Path, then: str, pids: list[int], error: BaseException | None = None) -> None:
    with closing(children.listen(python(FAMILY + then, directory))) as heard:
        for one in heard:
            assert isinstance(one, Line)
            pids += [int(pid) for pid in one.text.split()]
            if error is not None:
                raise error


@pytest.mark.parametrize("error", [RuntimeError("ours"), Cancelled(Exit.INTERRUPTED), KeyboardInterrupt()])
def test_an_exception_ends_the_whole_family(tmp_path: Path, error: BaseException) -> None:
    pids: list[int] = []
    with pytest.raises(type(error)):
        hear_family(tmp_path, "time.sleep(600)", pids, error)
    assert len(pids) == 3
    assert all(becomes_true(lambda pid=pid: gone(pid)) for pid in pids)


def test_a_signal_while_waiting_ends_the_whole_family(tmp_path: Path) -> None:
    def cancel(*_: object) -> None:
        raise Cancelled(Exit.TERMINATED)

    then = "open('pids', 'w').write(f'{os.getpid()} {one.pid} {two.pid}')"
    then += f"; os.kill({os.getpid()}, signal.SIGUSR1); time.sleep(600)"
    before = signal.signal(signal.SIGUSR1, cancel)
    try:
        with pytest.raises(Cancelled):
            hear_family(tmp_path, then, [])
    finally:
        signal.signal(signal.SIGUSR1, before)
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert len(pids) == 3
    assert all(becomes_true(lambda pid=pid: gone(pid)) for pid in pids)


def test_the_next_run_ends_what_a_killed_one_left(tmp_path: Path, private_temporary: Path) -> None:
    family = FAMILY + "time.sleep(600)"
    owner = f"""
import sys, tempfile; tempfile.tempdir = {str(private_temporary)!r}
from pathlib import Path
from runner import children
for one in children.listen(children.Command((sys.executable, "-c", {family!r}), Path({str(tmp_path)!r}), {{}}, 600)):
    print(one.text, flush=True)
"""
    root = Path(children.__file__).parents[1]
    process = subprocess.Popen([sys.executable, "-c", owner], stdout=subprocess.PIPE, text=True, cwd=root)
    assert process.stdout is not None
    pids = [int(pid) for pid in process.stdout.readline().split()]
    process.kill()
    process.wait()
    process.stdout.close()
    assert not any(gone(pid) for pid in pids)
    assert len(list(private_temporary.iterdir())) == 1
    children.sweep()
    assert all(becomes_true(lambda pid=pid: gone(pid)) for pid in pids)


def test_a_sweep_leaves_the_living_alone(tmp_path: Path) -> None:
    text = "import os, sys, time; print(os.getpid(), flush=True); time.sleep(600)"
    heard = children.listen(python(text, tmp_path))
    with closing(heard):
        first = next(heard)
        assert isinstance(first, Line)
        children.sweep()
        assert not gone(int(first.text))
    assert becomes_true(lambda: gone(int(first.text)))


def test_a_missing_program_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match="'no-such-program' was not found") as caught:
        children.run(command("no-such-program", directory=tmp_path))
    assert "setup" in caught.value.remedy


def test_a_program_is_looked_for_on_the_path_of_the_child(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "hello"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho found\n")
    program.chmod(0o755)
    path = f"{program.parent}:{os.environ['PATH']}"
    assert children.run(command("hello", directory=tmp_path, PATH=path)).tail == ("found",)


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match=r"there is no directory .*nowhere"):
        children.run(command("true", directory=tmp_path / "nowhere"))


def test_a_file_that_cannot_run_is_named(tmp_path: Path) -> None:
    program = tmp_path / "text"
    program.write_text("no program")
    with pytest.raises(ToolFailed, match=r"text' cannot start"):
        children.run(command(str(program), directory=tmp_path))


def test_only_what_programs_need_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = ("AWS_SECRET_ACCESS_KEY", "DATABASE_URL", "PGPASSWORD", "GITHUB_TOKEN", "UV_PUBLISH_TOKEN", "BASH_ENV")
    needed = ("PATH", "LC_TIME", "UV_INDEX_URL", "PIP_INDEX_URL", "https_proxy", "NODE_EXTRA_CA_CERTS", "JAVA_HOME")
    for name in secrets + needed:
        monkeypatch.setenv(name, "x")
    environment = clean_environment()
    assert set(needed) <= environment.keys()
    assert not set(secrets) & environment.keys()
    assert clean_environment(["GITHUB_TOKEN"])["GITHUB_TOKEN"] == "x"


def test_names_that_exist_here_and_were_not_handed_on_are_withheld(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "x")
    monkeypatch.setenv("POSTGRES_HOST", "x")
    monkeypatch.delenv("NOWHERE", raising=False)
    assert withheld(["POSTGRES_HOST", "NOWHERE", "DATABASE_URL", "PATH"], clean_environment(["DATABASE_URL"])) == (
        "POSTGRES_HOST",
    )


SAYS_BOTH = "import os; os.write(1, b'x' * 100_000); os.write(2, b'for people\\n'); os.write(1, b'\\xff\\n')"


def test_standard_output_is_captured_whole_and_apart(tmp_path: Path) -> None:
    finished, said = children.captured(python(SAYS_BOTH, tmp_path), 200_000)
    assert finished == Finished(0, False, ("for people",))
    assert said == b"x" * 100_000 + b"\xff\n"


def test_a_program_cannot_write_on_past_what_is_captured(tmp_path: Path) -> None:
    finished, said = children.captured(python("while True: print('x' * 60_000)", tmp_path), 100_000)
    assert len(said) == 100_001
    assert finished.status
    assert not finished.timed_out


def test_what_a_grandchild_holds_open_is_no_reason_to_wait(tmp_path: Path) -> None:
    left = "import subprocess; subprocess.Popen(['sleep', '600'], start_new_session=True); print('said')"
    finished, said = children.captured(python(left, tmp_path), 1_000)
    assert (finished.status, said) == (0, b"said\n")
