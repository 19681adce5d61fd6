"""guia watch beside an nginx that runs on its own: totals, rankings, probes, the control socket, and being killed."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

import outbox
from harness import Gate, Origin, case, free_port, main, wait_until
from notify import Manager

GUIA = pathlib.Path(sys.argv.pop(2)).resolve()
RULES = """
SecRuleEngine On
SecRule REQUEST_URI "@contains evil" "id:1001,phase:1,deny,status:403,log,t:none"
"""
CONFIG = """
guia_events {events};
guia_admission 4m; guia_admission_wait 300s;
guia_rules rules.conf;
guia on;
server {{
    listen 127.0.0.1:{port};
    guia_site www.example.mo;
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Real;
    location / {{ try_files /none @fine; }}
    location @fine {{ return 200 "fine"; }}
    location = / {{ proxy_pass http://127.0.0.1:{origin}/page; proxy_read_timeout 300s; }}
}}
"""
page = {"status": 200, "held": None}


def page_send(handler):
    if page["held"] is not None:
        page["held"].wait(300)
    handler.send(page["status"], b"page")


origin = Origin({"/page": page_send})


class Pair:
    """A gate and a watch."""
    all = []

    def __init__(self, workers=1, start=True, probe=True, more=()):
        for pair in Pair.all:
            pair.close()  # of a case that failed
        Pair.all.append(self)
        memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="guia-watch-", dir=memory))
        self.port = free_port()
        self.gate = Gate("", workers=workers, start=False, files={"rules.conf": RULES})
        self.gate.configure(CONFIG.format(events=self.folder / "events", port=self.port, origin=origin.port))
        self.run_dir, self.probe, self.process = self.folder / "run", probe, None
        if start:
            self.gate.start()
        self.watch_start(*more)

    def watch_start(self, *more):
        probes = ["--probe", f"www.example.mo=http://127.0.0.1:{self.port}"] if self.probe else []
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", GUIA, "watch", "--run-dir", self.run_dir, "--events",
             self.folder / "events", *probes, *more], stderr=subprocess.PIPE, text=True)
        wait_until(lambda: self.process.poll() is not None or self.ask("status", "--json")[0] in (0, 1), "a watch")

    def ask(self, *words):
        done = subprocess.run([GUIA, words[0], "--run-dir", self.run_dir, *words[1:]], capture_output=True, text=True,
                              timeout=300, check=False)
        return done.returncode, done.stdout, done.stderr

    def status(self):
        code, out, err = self.ask("status", "--json")
        assert code in (0, 1), err
        return json.loads(out)

    def site(self):
        return next((s for s in self.status()["sites"] if s["site"] == "www.example.mo"), {})

    def top(self, *words):
        code, out, err = self.ask("top", "-1", "--json", *words)
        assert code == 0, err
        return json.loads(out)

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(120)
        self.gate.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        Pair.all.remove(self)


def many(pair, count, path="/x", head=""):
    left = count
    while left > 0:
        batch = min(left, 900)
        with socket.create_connection(("127.0.0.1", pair.port), timeout=300) as s:
            line = f"GET {path} HTTP/1.1\r\nHost: a\r\n{head}"
            s.sendall(f"{line}\r\n".encode() * (batch - 1) + f"{line}Connection: close\r\n\r\n".encode())
            while s.recv(1 << 16):
                pass
        left -= batch


@case("totals are exact, rankings name who and what, and one screen says so")
def _():
    pair = Pair(workers=2, probe=False)
    rounds = [0]

    def told():
        """After some more of the same: rankings are of the last seconds only."""
        rounds[0] += 1
        many(pair, 300, "/flood?x=1", "User-Agent: tool/1.0\r\nX-Real: 203.0.113.9\r\n")
        for i in range(40):
            many(pair, 1, "/flood", f"User-Agent: tool/1.0\r\nX-Real: 198.51.100.{i + 1}\r\n")
        many(pair, 20, "/evil", "X-Real: 2001:db8:1:2::3\r\n")
        top = pair.top("-n", "3")
        return len(top["source"]) == 3 and top["rule"] and 80 < top["source"][0]["percent"] < 90 and top

    top = wait_until(told, "rankings", seen=lambda: pair.top("-n", "3"))
    sent = rounds[0] * 360
    wait_until(lambda: pair.site().get("arrived") == sent and pair.site()["in_flight"] == 0, f"the totals of {sent}", seen=pair.site)
    site, good, bad = pair.site(), rounds[0] * 340, rounds[0] * 20
    assert site["ended"]["pass"] == {"none": good} and site["ended"]["block"] == {"rule": bad}, site
    assert site["status"]["2xx"] == good and site["status"]["4xx"] == bad
    assert top["source"][0]["key"] == "203.0.113.9" and top["source"][1]["key"] == "2001:db8:1:2::3", top["source"]
    assert [n["key"] for n in top["network"]] == ["203.0.113.0/24", "198.51.100.0/24", "2001:db8:1::/48"], top["network"]
    assert (top["path"][0]["site"], top["path"][0]["key"]) == ("www.example.mo", "/flood"), top["path"]
    assert top["agent"][0]["key"] == "tool/1.0" and top["agent"][1]["key"] == "(none)", top["agent"]
    assert top["rule"][0]["key"] == "1001", top

    def on_screen():
        many(pair, 1, "/flood", "X-Real: 203.0.113.9\r\n")
        code, out, _ = pair.ask("top", "--once", "--by", "source")
        assert code == 0 and "agent" not in out, out
        return "203.0.113.9" in out
    wait_until(on_screen, "a screen that says so")
    code, out, _ = pair.ask("status")
    assert code == 1 and "www.example.mo" in out and "not fetched" in out and "workers: 2" in out, out
    assert pair.status()["watch"]["events_lost"] == 0
    pair.close()


@case("slots of a site's origin, those that admission learned, are told as they are used")
def _():
    pair = Pair(workers=2, probe=False)
    page["held"] = threading.Event()
    clients = []
    try:
        for _ in range(24):
            client = socket.create_connection(("127.0.0.1", pair.port), timeout=300)
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            clients.append(client)
        wait_until(lambda: pair.site().get("slots") == 16 == pair.site()["slots_at_most"] and pair.site()["slots_waited_for"] > 0,
                   "sixteen slots in use, and some who wait", seen=pair.site)
        assert "www.example.mo 16 of 16" in pair.ask("top", "-1")[1]
        assert " 16/16 " in pair.ask("status")[1]
        page["held"].set()
        for client in clients:
            while client.recv(4096):
                pass
        wait_until(lambda: pair.site()["slots"] == 0 == pair.site()["slots_waited_for"], "all free again", seen=pair.site)
    finally:
        page["held"].set()
        page["held"] = None
        for client in clients:
            client.close()
        pair.close()


@case("countries and operators are told, with the date of the data")
def _():
    pair = Pair(probe=False)

    def told():
        """After some more of the same: the data is read beside the rest, and rankings are of the last seconds only."""
        many(pair, 50, "/x", "X-Real: 202.175.3.3\r\n")
        many(pair, 20, "/x", "X-Real: 2001:da8::1\r\n")
        many(pair, 5, "/x", "X-Real: 127.0.0.9\r\n")
        top = pair.top()
        return [c["key"] for c in top["country"]] == ["MO", "CN", "(unknown)"] and top

    top = wait_until(told, "three countries", seen=lambda: pair.top()["country"])
    assert top["operator"][0]["key"].startswith("AS4609 Companhia"), top["operator"]
    assert len(top["places"]["made"]) == 10 and top["places"]["vendor"] and not top["places"]["fault"], top["places"]
    code, out, _ = pair.ask("top", "-1")
    assert code == 0 and f"as of {top['places']['made']}" in out, out
    pair.close()


@case("without data of places the rest is told")
def _():
    pair = Pair(probe=False, more=("--locations", "/nonexistent"))

    def told():
        many(pair, 5, "/x", "X-Real: 202.175.3.3\r\n")
        top = pair.top()
        return top["source"] and top["places"]["fault"] and top
    top = wait_until(told, "a source")
    assert top["country"] == [] and top["places"]["fault"] == "there is no such file", top["places"]
    assert "are not known: /nonexistent" in pair.ask("top", "-1")[1]
    pair.close()


@case("a site is up after three good answers in a row, and down with the first bad one")
def _():
    pair = Pair()

    def says(code, text):
        """Once this machine answers the probe in time, if it did not before."""
        wait_until(lambda: (said := pair.ask("status"))[0] == code and text in said[1], text, seen=lambda: pair.ask("status"))

    def is_up():
        told = pair.status()
        return told["up"] and told["sites"] and next(s for s in told["sites"] if s["site"] == "www.example.mo")["probe"]["asked"] >= 3
    says(0, "www.example.mo")
    wait_until(is_up, "up, after three answers", seen=pair.status)
    page["status"] = 503
    says(1, "down: status 503")
    wait_until(lambda: pair.site()["probe"]["fault"] == "status", "its fault", seen=pair.site)
    page["status"] = 301
    wait_until(lambda: pair.ask("status")[0] == 0, "up again")
    pair.gate.stop()
    says(1, "down: refused")
    wait_until(lambda: pair.status()["workers"] == 0, "no workers", seen=pair.status)
    page["status"] = 200
    pair.gate.start()
    wait_until(lambda: pair.ask("status")[0] == 0, "up again")
    pair.close()


@case("a listener that says nothing, half an answer, or nonsense is not up")
def _():
    pair = Pair(start=False)
    sockets, answers = [], {"text": b""}
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", pair.port))
        listener.listen(16)
        listener.settimeout(0.2)
        stop = threading.Event()

        def serve():
            while not stop.is_set():
                try:
                    s = listener.accept()[0]
                except OSError:
                    continue
                sockets.append(s)
                s.recv(4096)
                if answers["text"]:
                    s.sendall(answers["text"])
                    s.close()
        thread = threading.Thread(target=serve)
        thread.start()
        for text, fault in ((b"", "too slow"), (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "cut short"),
                            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", "cut short"),
                            (b"nonsense", "no answer"), (b"HTTP/1.1 404 No\r\n\r\n", "status"),
                            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "")):
            answers["text"] = text
            wait_until(lambda: pair.site().get("probe", {}).get("fault", "none yet") == fault, fault or "good")
        stop.set()
        thread.join()
    for s in sockets:
        s.close()
    pair.close()


@case("a watch that is killed and started again knows the sums, and goes on reading")
def _():
    pair = Pair(probe=False)
    many(pair, 500)
    wait_until(lambda: pair.site().get("arrived") == 500, "the first")
    total = 500
    for _ in range(3):
        pair.process.kill()
        pair.process.wait()
        many(pair, 300)
        pair.watch_start()
        wait_until(lambda: pair.site().get("arrived") == total + 300, "what came meanwhile", seen=pair.site)
        extra = 0
        while [row["key"] for row in pair.top()["path"]][:1] != ["/x"]:  # of the last seconds only
            assert extra < 100, pair.top()
            many(pair, 1)
            extra += 1
        total += 300 + extra
        assert pair.status()["watch"]["events_lost"] == 0
    pair.close()


@case("what is overwritten before it is read is counted and said, and the sums are exact all the same")
def _():
    pair = Pair(probe=False)
    wait_until(lambda: pair.status()["workers"] == 1, "the worker")
    os.kill(pair.process.pid, signal.SIGSTOP)
    many(pair, 50000)
    os.kill(pair.process.pid, signal.SIGCONT)
    wait_until(lambda: pair.site().get("arrived") == 50000 and pair.site()["in_flight"] == 0, "the sums")
    watch = wait_until(lambda: (w := pair.status()["watch"])["events_lost"] and w["events"] + w["events_lost"] == 100000 and w,
                       "every event read or lost", seen=pair.status)
    pair.process.terminate()
    assert f"{watch['events_lost']} events were overwritten" in pair.process.communicate(timeout=300)[1]
    pair.close()


@case("reloads and killed workers: the watch follows")
def _():
    pair = Pair(workers=2, probe=False)
    total = 0
    for i in range(4):
        many(pair, 200)
        total += 200
        if i % 2 == 0:
            pair.gate.reload()
        else:
            pair.gate.kill_workers()
    many(pair, 200)
    wait_until(lambda: pair.site().get("arrived") == total + 200, "the sums")
    wait_until(lambda: pair.status()["workers"] == 2, "two workers")
    pair.close()


@case("a gate that comes later, and files that are no outboxes")
def _():
    pair = Pair(start=False, probe=False)
    wait_until(lambda: "No such file" in pair.status()["watch"]["fault"], "what is amiss", seen=pair.status)
    assert "tells nothing" in pair.ask("status")[1]
    (pair.folder / "events").mkdir(0o750)
    (pair.folder / "events/worker-7").write_bytes(b"guiaOUT\0" + os.urandom(200000))
    wait_until(lambda: pair.status()["watch"]["files_refused"] == 1, "the refusal")
    pair.gate.start()
    many(pair, 10)
    wait_until(lambda: pair.site().get("arrived") == 10, "the sums")
    # Somebody cuts the file short that is being read.
    pair.gate.stop()
    os.truncate(pair.folder / "events/worker-0", 5000)
    wait_until(lambda: pair.status()["watch"]["files_refused"] == 2, "the refusal")
    assert pair.process.poll() is None
    pair.close()


@case("counters that nothing can have counted to leave the rest readable")
def _():
    pair = Pair(probe=False)
    many(pair, 10)
    events = pair.folder / "events"
    rows, most = bytearray((events / "worker-0").read_bytes()), (2 ** 63 - 1).to_bytes(8, "little")
    sites = outbox.HEADER + outbox.CONTROL_SITES
    for start, count in ((outbox.HEADER + outbox.CONNECTIONS, 16), (sites + outbox.COUNTERS, outbox.SITE_WORDS)):
        rows[start:start + 8 * count] = most * count
    (events / "new").write_bytes(rows)
    (events / "new").rename(events / "worker-1")
    wait_until(lambda: pair.status()["connections"]["accepted"] == 2 ** 63 - 1, "the counters", seen=pair.status)
    wait_until(lambda: pair.site()["arrived"] == 20, "those that were counted, and were copied", seen=pair.site)
    wait_until(lambda: many(pair, 1) or pair.top()["source"], "a source")  # of the last seconds only
    assert pair.ask("status")[0] == 1 and pair.ask("top", "-1")[0] == 0
    pair.close()


@case("hostile bytes of requests do no harm on a terminal or in JSON")
def _():
    pair = Pair(probe=False)

    def told():
        many(pair, 5, "/%1b%5b2Jx", "User-Agent: \x1b]0;title\x07\"\xff\x9b\u202e\u200b\r\n")
        agents = pair.top()["agent"]
        screen = pair.ask("top", "-1")[1]
        for said in (screen, pair.ask("status")[1], pair.ask("top", "-1", "--json")[1], pair.ask("status", "--json")[1]):
            assert not re.search("[\0-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e]", said), repr(said)
        return "0;title" in screen and agents
    agents = wait_until(told, "an agent")
    assert agents[0]["key"].startswith("?]0;title?"), agents
    pair.close()


def raw_ask(path, data, patience=60):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(patience)
        s.connect(str(path))
        s.sendall(data)
        answer = b""
        while True:
            try:
                piece = s.recv(65536)
            except ConnectionResetError:
                return answer
            if not piece:
                return answer
            answer += piece


@case("the control socket: nonsense, silence, too many, strangers")
def _():
    pair = Pair(probe=False)
    path = pair.run_dir / "control"
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(raw_ask(path, b"nonsense\n"))["fault"]
    assert json.loads(raw_ask(path, b"top 99999999999999999999\n"))["source"] == []
    assert raw_ask(path, b"x" * 1000) == b""
    silent = []
    for _ in range(20):
        s = socket.socket(socket.AF_UNIX)
        s.connect(str(path))
        silent.append(s)
    wait_until(lambda: pair.ask("status", "--json")[0] == 1, "an answer, once the silent are left")
    for s in silent:
        s.close()
    done = subprocess.run([GUIA, "watch", "--run-dir", pair.run_dir], capture_output=True, text=True, timeout=300,
                          check=False)
    assert done.returncode == 3 and "another watch is running" in done.stderr, done
    if os.getuid() == 0:
        os.chmod(pair.folder, 0o755)
        os.chmod(pair.run_dir, 0o755)
        os.chmod(path, 0o666)
        done = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", sys.executable, "-c",
                               f"import socket; s = socket.socket(socket.AF_UNIX); s.connect('{path}'); "
                               "s.sendall(b'status\\n'); print(len(s.recv(100)))"], capture_output=True, text=True,
                              timeout=300, check=False)
        assert done.stdout.strip() == "0" or "reset" in done.stderr.lower() or "Broken pipe" in done.stderr, done
    pair.process.terminate()
    assert pair.process.wait(60) == 0 and not path.exists()
    assert pair.ask("status")[0] == 3
    pair.close()


@case("root's watch becomes another user, and still reads")
def _():
    if os.getuid() != 0:
        return
    pair = Pair(probe=False)
    pair.process.terminate()
    pair.process.wait(60)
    os.chmod(pair.folder, 0o755)
    os.chown(pair.folder / "events", -1, 65534)
    os.chmod(pair.folder / "events", 0o2750)
    for path in (pair.folder / "events").iterdir():
        os.chown(path, -1, 65534)
    pair.watch_start("--user", "nobody")
    assert pair.process.poll() is None, pair.process.stderr.read()
    status = pathlib.Path(f"/proc/{pair.process.pid}/status").read_text()
    assert "Uid:\t65534\t65534\t65534\t65534" in status and "CapEff:\t0000000000000000" in status, status
    many(pair, 10)
    wait_until(lambda: pair.site().get("arrived") == 10, "the sums")
    pair.close()


@case("a service manager is told that it is ready, lives, and ends")
def _():
    pair = Pair(probe=False)
    pair.process.terminate()
    pair.process.wait(60)
    with Manager(pair.folder / "notify") as manager:
        os.environ.update(NOTIFY_SOCKET=str(pair.folder / "notify"), WATCHDOG_USEC="200000")
        try:
            pair.watch_start()
        finally:
            del os.environ["NOTIFY_SOCKET"], os.environ["WATCHDOG_USEC"]
        wait_until(lambda: len(manager.said) >= 4, "signs of life", seen=lambda: manager.said)
        assert manager.said[:4] == [b"READY=1"] + [b"WATCHDOG=1"] * 3, manager.said
        pair.process.terminate()
        wait_until(lambda: manager.said[-1] != b"WATCHDOG=1", "word of the end", seen=lambda: manager.said)
        assert manager.said[-1] == b"STOPPING=1", manager.said
    pair.close()


main()
