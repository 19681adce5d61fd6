#!/usr/bin/env python3
"""What an officer types beside a watch: which watch is meant, what is said of wrong words, what is listed. TAP.

Usage: officer_test.py GUIA
"""
import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
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


@contextlib.contextmanager
def watch(name):
    """A watch in a folder that is looked for, with no gate; -> its run directory."""
    run_dir = FOLDER / name
    run_dir.mkdir(mode=0o700)
    with subprocess.Popen([GUIA, "watch", "--run-dir", run_dir, "--bans", f"{run_dir}.bans"], stderr=subprocess.DEVNULL) as process:
        try:
            end = time.monotonic() + PATIENCE
            while not (run_dir / "control").exists():
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


def main():
    return 1 if tap.run([(tap.title(function), function) for function in CASES]) else 0


if __name__ == "__main__":
    sys.exit(main())
