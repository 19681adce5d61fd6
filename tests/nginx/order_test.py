"""guia ban, unban and allow: from a person's word to the gate, over a killed watch; what is wrong is told."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from harness import Gate, Origin, case, curl, free_port, main, wait_until
from waiting import wait_while_it_lasts

GUIA = sys.argv.pop(2)
PORT = free_port()
origin = Origin()
gate = Gate("", start=False)
bans = gate.folder / "bans"
run_dir = pathlib.Path(tempfile.mkdtemp(prefix="guia-order-"))
gate.configure(f"""
guia_events {gate.folder}/events; guia_bans {bans};
server {{ listen 127.0.0.1:{PORT}; guia_site site; location / {{ proxy_pass http://127.0.0.1:{origin.port}; }} }}
""")
gate.start()


def watch():
    process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", GUIA, "watch", "--run-dir", run_dir, "--events", gate.folder / "events",
                                "--bans", bans], stderr=subprocess.PIPE, text=True)
    wait_until(lambda: guia("ban")[0] == 0 or process.poll() is not None, "the watch")
    return process


def guia(*words):
    """-> (exit code, stdout, stderr)"""
    done = subprocess.run([GUIA, *words, "--run-dir", run_dir], capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout, done.stderr


def listed():
    code, out, _ = guia("ban", "--json")
    assert code == 0
    return {o["prefix"]: o for o in json.loads(out)["orders"]}


def status(source):
    return curl(f"http://127.0.0.1:{PORT}/echo", "--interface", source).status


def comes(source, wanted):
    wait_until(lambda: status(source) == wanted, f"{wanted} for {source}")


process = watch()


@case("a ban is in force at the gate, listed with who, why and hits, and lifted")
def _():
    comes("127.0.2.1", 200)
    code, out, err = guia("ban", "127.0.2.1", "--why", "floods \x1b the search".replace("\x1b", "'<b>"))
    assert code == 0 and "127.0.2.1" in out and "floods" in out, (out, err)
    comes("127.0.2.1", 0)
    order = listed()["127.0.2.1"]
    assert order["kind"] == "ban" and order["why"] == "floods '<b> the search" and order["by"] == os.getuid()
    assert 3500 < order["seconds_left"] <= 3600 and wait_until(lambda: listed()["127.0.2.1"]["hits"] >= 1, "hits")
    code, out, _ = guia("unban", "127.0.2.1")
    assert code == 0 and out.startswith("lifted")
    comes("127.0.2.1", 200)
    assert listed() == {}


@case("an allowance holds inside a ban; the longer prefix holds")
def _():
    assert guia("ban", "127.0.3.0/24", "--for", "1d")[0] == 0 and guia("allow", "127.0.3.9")[0] == 0
    comes("127.0.3.1", 0)
    comes("127.0.3.9", 200)
    assert "until" not in listed()["127.0.3.9"]


@case("a killed watch: the gate goes on, the next knows all, and a ban ends without any")
def _():
    wait_while_it_lasts(lambda seconds: guia("ban", "127.0.2.7", "--for", f"{seconds}s"), lambda: status("127.0.2.7") == 0, "a refusal")
    before = listed()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    comes("127.0.3.1", 0)
    comes("127.0.2.7", 200)
    code, _, err = guia("ban", "127.0.2.8")
    assert code == 3 and "no watch" in err
    globals()["process"] = watch()
    after = listed()
    assert set(after) == set(before) - {"127.0.2.7"} and after
    assert all(after[p]["since"] == before[p]["since"] and after[p]["id"] == before[p]["id"] for p in after)
    comes("127.0.3.1", 0)
    code, _, err = guia("unban", "127.0.3.1")
    assert code == 2 and "it is in 127.0.3.0/24, which is banned" in err, err
    assert guia("unban", "127.0.3.0/24")[0] == 0
    comes("127.0.3.1", 200)


@case("what a person wrote wrong is told, and nothing changes")
def _():
    before = listed()
    for words, code, says in ((("ban", "127.0.2"), 2, "not an address"), (("ban", "127.0.2.1/24"), 2, "it is in 127.0.2.0/24"),
                              (("ban", "127.0.0.0/8"), 2, "--force"), (("allow", "::/0"), 2, "--force"), (("allow",), 2, ""),
                              (("ban", "127.0.2.1", "--for", "soon"), 2, "--for"), (("ban", "127.0.2.1", "--for", "0"), 2, "--for"),
                              (("ban", "127.0.2.1", "--for", "99999999999999999999d"), 2, "--for"),
                              (("ban", "127.0.2.1", "--why", "a\nb"), 2, "one line"), (("ban", "127.0.2.1", "--why", "x" * 161), 2, "160"),
                              (("unban", "192.0.2.1"), 2, "nothing was said"), (("ban", "127.0.2.1/33"), 2, "not an address"), (("ban", "a b c d"), 2, "not an address")):
        got, out, err = guia(*words)
        assert got == code and says in err and not out, (words, got, out, err)
    assert listed() == before
    assert guia("allow", "127.128.0.0/9", "--force")[0] == 0 and guia("unban", "127.128.0.0/9")[0] == 0


@case("a folder that cannot be written is told; the watch and the gate go on")
def _():
    process.terminate()
    process.wait()
    shutil.rmtree(bans)
    bans.write_text("not a folder")
    done = subprocess.run([GUIA, "watch", "--run-dir", run_dir, "--events", gate.folder / "events", "--bans", bans], capture_output=True,
                          text=True, timeout=300)
    assert done.returncode == 3 and str(bans) in done.stderr, done
    bans.unlink()
    comes("127.0.3.9", 200)
    globals()["process"] = watch()
    assert listed() == {} and guia("ban", "127.0.2.1")[0] == 0
    comes("127.0.2.1", 0)
    process.terminate()
    assert process.wait() == 0
    time.sleep(0.2)
    comes("127.0.2.1", 0)
    shutil.rmtree(run_dir)


main()
