"""guia screen beside a watch that says what a test wants it to, with a history of the real schema; and TAP.

Usage of a test: python3 X_test.py GUIA. Everything started here is ended by its process id.
"""
import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import tap  # pylint: disable=wrong-import-position
from tap import Skip, title  # pylint: disable=wrong-import-position,unused-import

GUIA = pathlib.Path(sys.argv[1]).resolve()
PATIENCE = 240
CASES = []
ONSET = 1720612800000  # 2024-07-10 12:00 UTC
LANGUAGES = ("en", "pt", "zh-Hant")


def case(function):
    CASES.append(function)
    return function


def main():
    chosen = [(title(c), c) for c in CASES if not sys.argv[2:] or any(word in title(c) for word in sys.argv[2:])]
    sys.exit(1 if tap.run(chosen) else 0)


def wait_for(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited for {what}"
        time.sleep(0.02)


def moment(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03}Z"


def site(name, state="quiet", up=True, **more):
    """As the watch tells of one."""
    told = {"site": name, "probe": {"up": up, "asked": 100, "answered": 100, "status": 200, "ms": 12.3, "fault": "", "for_seconds": 60},
            "requests_per_s": 20.0, "blocked_per_s": 1.0, "errors_per_s": 0.0,
            "ended": {"pass": {"none": 1000}, "block": {"rule": 5, "signature": 7}, "would-block": {}, "unseen": {"limit": 3}},
            "visitors": {"asked": 200, "answered": 199, "copies": 0, "success_percent": 99.5}}
    if state != "quiet":
        told["episode"] = {"id": 1, "state": state, "nature": "attack", "harm": ["late"], "onset": moment(int(time.time() * 1000) - 65000),
                            "mitigations": [], "changes": []}
    told.update(more)
    return told


def measure(number, what, stage="in force"):
    return {"id": number, "kind": "signature", "stage": stage, "seconds": 30.0, "what": what, "covers_percent": 99.0, "seen": 10, "hits": 9000,
            "per_s": 300.0}


def status(*sites):
    return {"time": moment(int(time.time() * 1000)), "up": True, "probes": len(sites), "workers": 2, "watch": {"fault": ""}, "sites": list(sites)}


def top(**kinds):
    told = {"seconds": 5.0, "requests_per_s": 100.0, "places": {"vendor": "a vendor", "made": "2024-07-01", "fault": ""}}
    for kind in ("source", "network", "operator", "country", "path", "agent", "rule"):
        told[kind] = [{"key": key, "per_s": rate, "others_per_s": 0.0, "percent": 1.0} for key, rate in kinds.get(kind, ())]
    return told


class Watch:
    """Answers on a control socket as it is told to; `asked` is every question that was put."""

    def __init__(self, path):
        self.answers = {"status": status(), "top": top(), "bans": {"prefixes": 0, "orders": []}, "modes": {"modes": []}, "history": {"path": ""}}
        self.asked = []
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(path))
        self.socket.listen(32)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            with client, contextlib.suppress(OSError):
                question = b""
                while not question.endswith(b"\n") and (piece := client.recv(4096)):
                    question += piece
                line = question.decode("utf-8", "surrogateescape").rstrip("\n")
                self.asked.append(line)
                answer = self.answers.get(line.split(" ")[0], {})
                client.sendall(json.dumps(answer).encode() + b"\n")

    def orders(self):
        return [line for line in self.asked if line.startswith("for ")]


def history_make(folder):
    """An empty one, made by the watch itself."""
    for part in ("made", "events"):
        (folder / part).mkdir()
    watch = subprocess.Popen([GUIA, "watch", "--run-dir", folder / "made", "--events", folder / "events", "--bans", folder / "made"],
                             stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: (folder / "made" / "control").exists() or watch.poll() is not None, "the watch")
    finally:
        watch.send_signal(signal.SIGTERM)
        watch.wait(PATIENCE)
    return folder / "made" / "history.db"


def incident_write(database, number, names, onset=ONSET, seconds=60, phase="over", entries=(), what="no accept-language", tallies=(), points=True, kind="flood", through=5000):
    with contextlib.closing(sqlite3.connect(database)) as db:
        over = onset + seconds * 1000 if phase == "over" else 0
        db.execute("INSERT INTO incident (id, phase, onset_ms, opened_ms, held_ms, restored_ms, over_ms, reopened, peak, below_since_ms, places)"
                   " VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                   (number, phase, onset, onset + 900, onset + 2000, onset + 4000, over, 0, 12345.0, 0, "a vendor, 2024-07-01"))
        db.execute("UPDATE incident SET kind = ? WHERE id = ?", (kind, number))
        if kind != "flood":
            db.execute("INSERT INTO actor (incident, sources, paths, findings, missing, kinds, classes, agent, shape, asked) VALUES (?,5,17,230,9,6,1,'0','0','0')",
                       (number,))
        for i, name in enumerate(names):
            db.execute("INSERT INTO site (incident, number, name, attacked, onset_ms, until_ms, held_ms, restored_ms, nature, harm, passed, copies,"
                       " blocked, limited, signature, crowded_out, other, asked, answered, peak, worst_percent)"
                       " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                       (number, i, name, int(phase != "over"), onset, onset + seconds * 1000, onset + 2000, onset + 4000, 4, 1, through, 40, 10, 2000, 90000, 7, 0,
                        30000, 29000, 9000.0, 61))
            if points:
                db.executemany("INSERT INTO point (incident, at_ms, site, passed, copies, blocked, limited, signature, crowded_out, other, asked, answered)"
                               " VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
                               ((number, onset + 900 + s * 1000, i, 80, 1, 2, 30, 900 if s > 3 else 0, 0, 0, 500, 480) for s in range(seconds)))
        db.execute("INSERT INTO mitigation (incident, id, site, since_ms, until_ms, hits, kind, what) VALUES (?,?,?,?,?,?,?,?)",
                   (number, 7, 0, onset + 2000, onset + seconds * 1000, 90000, "signature", what))
        for kind, text in entries or ((0, "onset: a site is under attack"), (1, "a.test: signature 7 in force"), (2, "user 0: ban 192.0.2.7 3600 - why")):
            db.execute("INSERT INTO entry (incident, at_ms, kind, text) VALUES (?,?,?,?)", (number, onset + 2000, kind, text))
        for dimension, key, requests in tallies or (("network", "192.0.2.0/24", 5000.0), ("country", "ZZ", 5000.0)):
            db.execute("INSERT INTO tally (incident, dimension, key, requests) VALUES (?,?,?,?)", (number, dimension, key, requests))
        db.commit()


class Screen:
    """A screen, its watch, and a person who is let in."""

    def __init__(self, program=GUIA, env=None):
        self.temp = tempfile.TemporaryDirectory(prefix="guia-screen-test-")
        self.folder = pathlib.Path(self.temp.name)
        self.run = self.folder / "run"
        self.run.mkdir(mode=0o700)
        self.history = history_make(self.folder)
        self.watch = Watch(self.run / "control")
        self.watch.answers["history"] = {"path": str(self.history)}
        self.err = self.folder / "err"
        self.process = subprocess.Popen([program, "screen", "--run-dir", self.run, "--listen", "127.0.0.1:0"], stderr=open(self.err, "wb"),
                                        env={**os.environ, **(env or {})})
        wait_for(lambda: b"/enter/" in self.err.read_bytes() or self.process.poll() is not None, "the screen")
        assert self.process.poll() is None, self.err.read_text()
        self.address = next(word for word in self.err.read_text().split() if "/enter/" in word)
        self.port = int(self.address.split(":")[2].split("/")[0])
        self.cookie = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE)
        self.watch.socket.close()
        self.temp.cleanup()
        assert code == 0, f"the screen ended with {code}"

    def ask(self, path, method="GET", body=None, cookie=True, **headers):
        """-> (status, headers, text), as a client that keeps no connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            sent = {"Host": f"127.0.0.1:{self.port}", **{name.replace("_", "-"): value for name, value in headers.items()}}
            if cookie and self.cookie:
                sent["Cookie"] = self.cookie if cookie is True else cookie
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def new_address(self):
        done = subprocess.run([GUIA, "screen", "--address", "--run-dir", self.run], capture_output=True, check=True, timeout=120)
        return done.stdout.decode().strip()

    def enter(self, address=None):
        address = address or self.address
        code, headers, text = self.ask("/" + address.split("/", 3)[3], cookie=False)
        assert code == 200, (code, text)
        self.cookie = headers["Set-Cookie"].split(";")[0]
        return headers

    def ready(self, sites=1):
        """Let in, and the screen has heard the watch."""
        self.enter()
        wait_for(lambda: self.ask("/")[2].count('class="tile ') >= sites and "cannot be read" not in self.ask("/")[2], "the watch's word")
        return self

    def heard(self, times=1):
        """Until the watch has been asked that often again, and so everything told before is known."""
        before = self.watch.asked.count("status")
        wait_for(lambda: self.watch.asked.count("status") > before + times, "questions")

    def csrf(self, path):
        text = self.ask(path)[2]
        return text.split('name="csrf" value="')[1].split('"')[0]

    def files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def resident(self):
        line = next(line for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) * 1024
