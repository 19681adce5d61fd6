#!/usr/bin/env python3
"""An evidence log as others see it: by another implementation, by openssl, by a timestamp authority, by the command. TAP.

Usage: evidence_test.py GUIA KEEPER
"""
import base64
import errno
import hashlib
import http.server
import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

from authority import Authority, openssl

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from waiting import PATIENCE  # pylint: disable=wrong-import-position

GUIA, KEEPER = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
TEMP = tempfile.TemporaryDirectory(prefix="guia-evidence-")
FOLDER = pathlib.Path(TEMP.name)
CASES = []
ENDS = 600  # seconds; only ends what hangs: a slow machine writes for long
LIVES = 20  # enough to be killed between any two files that a settled bundle is made of


def case(function):
    CASES.append(function)
    return function


def place(name):
    folder = FOLDER / name
    folder.mkdir()
    return folder / "log", folder / "key.pem"


class Keeper:
    def __init__(self, log, key, count, *authority):
        self.process = subprocess.Popen([KEEPER, log, key, str(count), *map(str, authority)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def state(self):
        self.process.stdin.write("?\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def until(self, good):
        """What it says once that is so."""
        end = time.monotonic() + PATIENCE
        while not good(state := self.state()):
            assert time.monotonic() < end, state
            time.sleep(0.01)
        return state

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(ENDS) == 0
        self.process.stdout.close()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(ENDS)
        self.process.stdin.close()
        self.process.stdout.close()


def keep(log, key, count):
    keeper = Keeper(log, key, count)
    keeper.end()


def guia(*words, code=0):
    done = subprocess.run([GUIA, "evidence", *words], capture_output=True, check=False, timeout=300)
    out, err = done.stdout.decode(), done.stderr.decode()
    assert done.returncode == code, f"{words}: exit {done.returncode}, not {code}\n{out}\n{err}"
    return out + err


def tile_path(level, number, width):
    parts = f"{number % 1000:03d}"
    while number >= 1000:
        number //= 1000
        parts = f"x{number % 1000:03d}/{parts}"
    return f"tile/{level}/{parts}" + ("" if width == 256 else f".p/{width}")


def root_of(hashes):
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return hashlib.sha256(b"\1" + root_of(hashes[:k]) + root_of(hashes[k:])).digest()


def records_of(epoch, size):
    for number in range((size + 255) // 256):
        width = min(256, size - number * 256)
        data, at = (epoch / tile_path("entries", number, width)).read_bytes(), 0
        for _ in range(width):
            length = int.from_bytes(data[at:at + 2], "big")
            yield data[at + 2:at + 2 + length]
            at += 2 + length
        assert at == len(data)


@case
def another_implementation_finds_the_same_tree():
    log, key = place("tree")
    keep(log, key, 70000)
    epoch = log / "0001"
    origin, size, root = (epoch / "checkpoint").read_text().split("\n")[:3]
    size = int(size)
    assert origin == "test.example/log/1" and size == 70003
    level, hashes = 0, [hashlib.sha256(b"\0" + record).digest() for record in records_of(epoch, size)]
    assert base64.b64encode(root_of(hashes)).decode() == root
    while hashes:
        for number in range((len(hashes) + 255) // 256):
            part = hashes[number * 256:number * 256 + 256]
            assert (epoch / tile_path(level, number, len(part))).read_bytes() == b"".join(part), (level, number)
        hashes = [root_of(hashes[at:at + 256]) for at in range(0, len(hashes) // 256 * 256, 256)]
        level += 1
    assert level == 3
    assert "WHOLE" in guia("verify", log)


def proven(proof, record):
    """-> the root that a proof leads to, the root it claims"""
    head, note = proof.split("\n\n", 1)
    lines = head.split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    index, size, root = int(lines[1].removeprefix("index ")), int(note.split("\n")[1]), note.split("\n")[2]
    value, place, last = hashlib.sha256(b"\0" + record).digest(), index, size - 1
    for line in lines[2:]:
        other = base64.b64decode(line)
        if place & 1 or place == last:
            value = hashlib.sha256(b"\1" + other + value).digest()
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            value = hashlib.sha256(b"\1" + value + other).digest()
        place, last = place >> 1, last >> 1
    assert last == 0
    return base64.b64encode(value).decode(), root


@case
def a_record_is_proven_to_others():
    log, key = place("proof")
    keep(log, key, 600)
    for index in (0, 255, 256, 602):
        out = guia("prove", str(index), log, "--record", FOLDER / "record.json")
        record = (FOLDER / "record.json").read_bytes()
        json.loads(record)
        value, root = proven(out, record)
        assert value == root
    guia("prove", "603", log, code=2)
    guia("prove", "x", log, code=2)
    guia("prove", "0", log, "--epoch", "2", code=2)
    guia("prove", "0", FOLDER / "nowhere", code=2)


@case
def the_signature_is_checked_by_hand_as_the_page_says():
    log, key = place("hand")
    keep(log, key, 600)
    page = (pathlib.Path(__file__).resolve().parent.parent.parent / "docs/evidence.md").read_text()
    block = re.search(r"((?:    .*\n)+?    openssl pkeyutl .*\n    sha256sum .*\n)", page).group(1)
    done = subprocess.run(["bash", "-e", "-c", block.replace("DIR/", f"{log}/")], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "Verified Successfully" in done.stdout, done
    fingerprint = re.search(r"^([0-9a-f]{64})  key.der", done.stdout, re.M).group(1)
    assert fingerprint in guia("verify", log, "--key", fingerprint)
    assert "BADLY SIGNED" in guia("verify", log, "--key", "0" * 64, code=13)


@case
def exit_codes_say_what_is_wrong():
    log, key = place("codes")
    keep(log, key, 600)
    for journal in ("journal.0", "journal.1"):
        (log / "0001" / journal).unlink()
    anchor = FOLDER / "anchor"
    shutil.copy(log / "0001/checkpoint", anchor)
    changes = [
        (10, "record 0: ", lambda copy: change(copy / "tile/entries/000", b"epoch", b"epocj")),
        (11, "record 256: ", lambda copy: (copy / "tile/entries/001").unlink()),
        (12, "record 512: ", lambda copy: shutil.rmtree(copy / "tile/entries/002.p")),
        (13, "checkpoint", lambda copy: change(copy / "checkpoint", b"603", b"602")),
    ]
    for code, part, spoil in changes:
        copy = FOLDER / f"copy-{code}"
        shutil.copytree(log, copy)
        spoil(copy / "0001")
        out = guia("verify", copy, code=code)
        assert part in out, out
        told = json.loads(guia("verify", copy, "--json", code=code))
        assert told["exit"] == code and told["epoch"] == 1 and told["said"] == out.splitlines(), (told, out)
        assert code == 13 or f"record {told['record']}: " in part, told
    assert "cannot be excluded" in guia("verify", log)
    told = json.loads(guia("verify", log, "--json"))
    assert told["finding"] == "whole" and told["exit"] == 0 and "record" not in told, told
    assert "cannot be excluded" not in guia("verify", log, "--anchor", anchor)
    guia("verify", FOLDER / "nowhere", code=2)
    guia("verify", log, "--anchor", FOLDER / "nowhere", code=2)
    guia("verify", log, "--anchor", key, code=2)
    guia("verify", code=2)


def change(path, old, new):
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))


@case
def a_killed_writer_leaves_a_whole_log():
    log, key = place("killed")
    before = 0
    for turn in range(LIVES):
        keeper = Keeper(log, key, 3000)
        sealed = keeper.until(lambda state: state["sealed"] > before + 200)["sealed"]
        keeper.kill()
        out = guia("verify", log)
        before = int(re.search(r"epoch 1: (\d+) records", out).group(1))
        assert before >= sealed, out
        assert out.count("was not closed") == turn, out
    keep(log, key, 1)
    assert guia("verify", log).count("was not closed") == LIVES


# ---- timestamps ----

@case
def checkpoints_are_timestamped():
    log, key = place("stamped")
    authority, other = Authority(FOLDER, "authority"), Authority(FOLDER, "other")
    keeper = Keeper(log, key, 10, authority.url, 50)
    keeper.until(lambda state: state["stamped"] >= 1)
    keeper.end()
    stamps = log / "0001/timestamps"
    replies = sorted(stamps.glob("*.tsr"), key=lambda path: int(path.stem))
    assert replies
    for reply in replies:
        openssl("ts", "-verify", "-in", reply, "-data", reply.with_suffix(".checkpoint"), "-CAfile", authority.folder / "ca.crt")
    assert f"{len(replies)} timestamps" in guia("verify", log, "--authorities", authority.folder / "ca.crt")
    assert "by whom was not checked" in guia("verify", log)
    assert "not by an authority" in guia("verify", log, "--authorities", other.folder / "ca.crt", code=13)
    guia("verify", log, "--authorities", FOLDER / "nowhere", code=2)
    last = replies[-1]
    data = last.read_bytes()
    for at in range(0, len(data), 7):
        last.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])
        done = subprocess.run([GUIA, "evidence", "verify", log, "--authorities", authority.folder / "ca.crt"], capture_output=True, check=False)
        same = done.returncode == 0
        # A certificate's or an unsigned part's byte that changes nothing for openssl changes nothing for us.
        theirs = subprocess.run(["openssl", "ts", "-verify", "-in", last, "-data", last.with_suffix(".checkpoint"), "-CAfile",
                                 authority.folder / "ca.crt"], capture_output=True, check=False).returncode == 0
        assert done.returncode in (0, 10, 13, 14) and (theirs or not same), (at, done)
    last.write_bytes(data)
    change(last.with_suffix(".checkpoint"), b"\n1", b"\n2")
    guia("verify", log, code=13)
    authority.end()
    other.end()


@case
def what_waits_for_an_authority_is_stamped_when_it_is_back():
    log, key = place("away")
    authority = Authority(FOLDER, "comes-back")
    authority.away = True
    keeper = Keeper(log, key, 10, authority.url, 50)
    state = keeper.until(lambda state: state["backlog"] >= 1)
    assert state["stamped"] == 0 and state["stamp_error"] != 0
    assert "never timestamped" in guia("verify", log)
    authority.away = False
    state = keeper.until(lambda state: state["backlog"] == 0 and state["stamped"] >= 1)
    assert state["stamp_error"] == 0
    keeper.end()
    for _ in range(5):  # at its end it waits for an answer for five seconds: one that comes later is the next writer's
        said = guia("verify", log, "--authorities", authority.folder / "ca.crt")
        if "never timestamped" not in said:
            break
        keeper = Keeper(log, key, 1, authority.url, 50)
        keeper.until(lambda state: state["backlog"] == 0 and state["stamped"] >= 1)
        keeper.end()
    assert "never timestamped" not in said, said
    authority.end()


@case
def an_authority_that_never_comes_to_an_end_holds_nobody():
    """It sends a byte now and then, for ever."""
    log, key = place("dribbled")

    def dribble(connection):
        try:
            while True:
                connection.sendall(b"H")
                time.sleep(0.2)
        except OSError:
            connection.close()

    def serve(server):
        try:
            while True:
                threading.Thread(target=dribble, args=(server.accept()[0],), daemon=True).start()
        except OSError:
            pass
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        keeper = Keeper(log, key, 10, f"http://127.0.0.1:{server.getsockname()[1]}/", 50)
        assert keeper.until(lambda state: state["stamp_error"] != 0)["stamp_error"] == -errno.ETIMEDOUT
        keeper.end()
    assert "never timestamped" in guia("verify", log)


def main():
    failed = 0
    print(f"1..{len(CASES)}")
    for number, function in enumerate(CASES, 1):
        try:
            function()
            fault = None
        except (AssertionError, OSError, ValueError, subprocess.SubprocessError, AttributeError):
            fault = traceback.format_exc()
        failed += fault is not None
        print(f"{'not ok' if fault else 'ok'} {number} - {function.__name__.replace('_', ' ')}", flush=True)
        for line in (fault or "").splitlines():
            print(f"# {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
