"""A history that is damaged, of a later Guia, somebody else's, or on a disk that refuses: the watch says so, serves on, and loses nothing
of what was kept. TAP."""
import contextlib
import json
import pathlib
import signal
import sqlite3
import subprocess
import tempfile

from harness import GUIA, PATIENCE, case, main, wait_for

GUIAS = 0x47756961


@contextlib.contextmanager
def watch_with(prepare):
    """A watch alone, with the history that `prepare` makes; gives its folder and what it says."""
    with tempfile.TemporaryDirectory(prefix="guia-history-") as name:
        folder = pathlib.Path(name)
        for part in ("run", "events", "bans"):
            (folder / part).mkdir()
        prepare(folder / "bans" / "history.db")
        said = folder / "said"
        with said.open("w") as err:
            watch = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", GUIA, "watch", "--run-dir", folder / "run", "--events", folder / "events", "--bans", folder / "bans"], stderr=err)
        try:
            wait_for(lambda: (folder / "run" / "control").exists() or watch.poll() is not None, "the watch")
            yield folder, said
        finally:
            watch.send_signal(signal.SIGTERM)
            assert watch.wait(PATIENCE) == 0, said.read_text()


def incidents(folder, *words):
    return subprocess.run([GUIA, "incidents", "--run-dir", folder / "run", *words], capture_output=True, check=False, timeout=300)


def database(path, *statements):
    with contextlib.closing(sqlite3.connect(path)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


def ask_until(folder, *words):
    wait_for(lambda: incidents(folder, *words).returncode == 0, "an answer")
    return incidents(folder, *words)


@case
def a_new_one_is_made():
    with watch_with(lambda path: None) as (folder, said):
        assert ask_until(folder).stdout == b"No incident is on record.\n"
        assert json.loads(ask_until(folder, "--json").stdout) == []
        assert incidents(folder, "1").returncode == 2 and incidents(folder, "one").returncode == 2
        assert "history" not in said.read_text()


@case
def a_damaged_one_is_kept_beside():
    with watch_with(lambda path: path.write_bytes(b"no database" * 1000)) as (folder, said):
        assert ask_until(folder).stdout == b"No incident is on record.\n"
        assert (folder / "bans" / "history.db.damaged").read_bytes() == b"no database" * 1000
        assert "it is damaged; it is" in said.read_text()


@case
def somebody_elses_is_kept_beside():
    with watch_with(lambda path: database(path, "create table theirs (a)")) as (folder, _):
        assert ask_until(folder).returncode == 0
        with contextlib.closing(sqlite3.connect(folder / "bans" / "history.db.damaged")) as db:
            assert db.execute("select count(*) from theirs").fetchone() == (0,)


@case
def that_of_a_later_version_is_left_alone():
    later = (f"pragma application_id={GUIAS}", "pragma user_version=9999", "create table incident (a)", "insert into incident values (7)")
    with watch_with(lambda path: database(path, *later)) as (folder, said):
        wait_for(lambda: "a later version of Guia wrote it" in said.read_text(), "a word")
        done = incidents(folder)
        assert done.returncode == 3 and b"a later version of Guia wrote it" in done.stderr, done
        with contextlib.closing(sqlite3.connect(folder / "bans" / "history.db")) as db:
            assert db.execute("select a from incident").fetchone() == (7,)


@case
def what_is_no_file_is_kept_beside():
    with watch_with(lambda path: path.mkdir()) as (folder, said):
        assert ask_until(folder).stdout == b"No incident is on record.\n"
        assert (folder / "bans" / "history.db.damaged").is_dir()
        assert "it is damaged; it is" in said.read_text()


@case
def one_that_cannot_be_opened_is_said():
    with watch_with(lambda path: path.symlink_to(path.name)) as (folder, said):
        wait_for(lambda: "history.db: " in said.read_text(), "a word")
        assert incidents(folder).returncode == 3
    done = subprocess.run([GUIA, "incidents", "--history", "/nowhere/history.db"], capture_output=True, check=False, timeout=300)
    assert done.returncode == 3 and b"there is none" in done.stderr, done


main()
