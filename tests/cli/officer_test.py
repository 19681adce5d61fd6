#!/usr/bin/env python3
"""What an officer types beside a watch: which watch is meant, what is said of wrong words, what is listed. TAP.

Usage: officer_test.py GUIA
"""
import contextlib
import fcntl
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import termios
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import tap  # pylint: disable=wrong-import-position

GUIA = pathlib.Path(sys.argv[1]).resolve()
TEMP = tempfile.TemporaryDirectory(prefix="guia-officer-")
FOLDER = pathlib.Path(TEMP.name)
NOBODY = 65534
PATIENCE = 60
CASES = []


def case(function):
    CASES.append(function)
    return function


def guia(*words, code=0, user=None):
    """Runs it; -> (stdout, stderr)."""
    done = subprocess.run([GUIA, *words], capture_output=True, check=False, timeout=120, user=user, env={**os.environ, "TMPDIR": str(FOLDER)})
    out, err = done.stdout.decode(), done.stderr.decode()
    assert done.returncode == code, f"{words}: exit {done.returncode}, not {code}\n{out}\n{err}"
    return out, err


def answers(run_dir):
    return subprocess.run([GUIA, "status", "--run-dir", run_dir], capture_output=True, check=False, timeout=120).returncode != 3


@contextlib.contextmanager
def watch(name, *options):
    """A watch in a folder that is looked for, with no gate; -> its run directory."""
    run_dir = FOLDER / name
    run_dir.mkdir(mode=0o700)
    with subprocess.Popen([GUIA, "watch", "--run-dir", run_dir, "--bans", f"{run_dir}.bans", *options], stderr=subprocess.DEVNULL) as process:
        try:
            end = time.monotonic() + PATIENCE
            while not answers(run_dir):
                assert time.monotonic() < end and process.poll() is None, "the watch does not begin"
                time.sleep(0.02)
            yield run_dir
        finally:
            process.terminate()


@case
def the_only_watch_is_asked():
    assert "no watch is running" in guia("status", code=3)[1]
    config = FOLDER / "guia.yaml"
    config.write_text('sites: [{host: a.test, origin: "http://127.0.0.1:1"}]\n')
    with watch("guia-onlyaa") as run_dir:
        assert "0 of 0 sites up" in guia("status", code=1)[0]
        assert "0 of 0 sites up" in guia("status", "-c", config, code=1)[0], "a configuration without run_dir"
        assert f"{FOLDER}/none: no watch is running there" in guia("status", "--run-dir", FOLDER / "none", code=3)[1]
        if os.getuid() == 0:
            FOLDER.chmod(0o755)
            assert f"{run_dir} is another user's: ask as root" in guia("ban", "192.0.2.7", code=3, user=NOBODY)[1]
    assert "no watch is running" in guia("status", code=3)[1], "it has ended"


@case
def no_order_is_given_to_several():
    with watch("guia-firsta") as one, watch("guia-second") as other:
        err = guia("ban", "192.0.2.7", code=2)[1]
        assert "several are running" in err and str(one) in err and str(other) in err, err
        for run_dir in (one, other):
            assert guia("ban", "--run-dir", run_dir)[0].startswith("0 ordered by people"), run_dir


@case
def this_machine_and_proxies_are_banned_only_if_it_is_meant():
    with watch("guia-itself", "--proxy", "198.51.100.0/28"):
        for prefix in ("127.0.0.1", "127.0.0.0/24", "::1"):
            assert "this machine itself" in guia("ban", prefix, code=2)[1], prefix
        for prefix in ("198.51.100.7", "198.51.100.0/24"):
            assert "a trusted proxy" in guia("ban", prefix, code=2)[1], prefix
        guia("ban", "198.51.100.7", "--force", "--for", "1m")
        guia("ban", "198.51.100.16")
        guia("ban", "127.0.2.1")
        guia("ban", "127.0.0.1", "--force", "--for", "1m")
        guia("allow", "::1")


@case
def bans_say_until_when_and_since_when():
    with watch("guia-listed"):
        out = guia("ban", "192.0.2.7", "--why", "floods the search")[0]
        assert re.fullmatch(r"ban    192\.0\.2\.7 +until \S+Z  ordered \S+Z by \S+: floods the search\n", out), out
        out = guia("allow", "192.0.2.8")[0]
        assert " until lifted " in out, out
        out = guia("ban")[0]
        assert re.search(r"^allow +192\.0\.2\.8 +until lifted +0 hits  ordered", out, re.M) and "2 ordered by people" in out, out
        out = guia("unban", "192.0.2.7")[0]
        assert re.fullmatch(r"lifted 192\.0\.2\.7 +ordered \S+Z by \S+: floods the search\n", out), out


@case
def incidents_are_named_alike_everywhere():
    with watch("guia-record"):
        for words in (("incidents", "latest"), ("report", "latest"), ("evidence", "hold", "latest", "--why", "x")):
            assert "no incident is on record" in guia(*words, code=2)[1], words
            assert "there is no incident 7" in guia(*(w if w != "latest" else "7" for w in words), code=2)[1], words
            assert "incidents have numbers, or it is `latest`" in guia(*(w if w != "latest" else "newest" for w in words), code=2)[1], words


def all_of(terminal):
    """What was written to the other end, which is closed: the kernel hands it over bit by bit, and then says EIO."""
    text = b""
    with contextlib.suppress(OSError):
        while part := os.read(terminal, 65536):
            text += part
    return text.decode()


@case
def status_fits_its_terminal():
    with watch("guia-narrow"):
        for columns in (80, 200):
            main_end, end = os.openpty()
            fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 25, columns, 0, 0))
            subprocess.run([GUIA, "status"], stdout=end, check=False, timeout=300, env={**os.environ, "TMPDIR": str(FOLDER)})
            os.close(end)
            head = next(line for line in all_of(main_end).splitlines() if line.startswith("site "))
            os.close(main_end)
            assert len(head) <= columns and ("fetched" in head) == (columns == 200) and "blocked" in head, (columns, head)
        assert "fetched" in guia("status", code=1)[0], "where nobody looks all is told"


@case
def what_may_not_be_read_is_not_said_to_be_no_log():
    if os.getuid() != 0:
        raise tap.Skip("only root can be kept from nothing, and become somebody who is")
    FOLDER.chmod(0o755)
    (FOLDER / "log").mkdir(mode=0o700)
    assert "Permission denied" in guia("evidence", "verify", FOLDER / "log", code=3, user=NOBODY)[1]
    assert "not an evidence log" in guia("evidence", "verify", FOLDER / "log", code=2)[1]
    assert "No such file" in guia("evidence", "verify", FOLDER / "nowhere", code=2)[1]
    (FOLDER / "file").write_text("x")
    assert "not an evidence log" in guia("evidence", "verify", FOLDER / "file", code=2)[1]


def main():
    return 1 if tap.run([(tap.title(function), function) for function in CASES]) else 0


if __name__ == "__main__":
    sys.exit(main())
