"""Events: what the gate counts and tells, over reloads, killed workers and directories that do not do."""
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time

from harness import Gate, Origin, case, curl, free_port, main, raw, wait_until
from http2 import Connection

import outbox

RULES = """
SecRuleEngine On
SecRequestBodyAccess On
SecRequestBodyLimit 1000000
SecRule REQUEST_URI "@contains evil" "id:1001,phase:1,deny,status:403,log,t:none"
SecRule ARGS "@contains bad" "id:1002,phase:2,deny,status:406,log,t:none"
"""
WATCHING = "SecRuleEngine DetectionOnly"

CONFIG = """
guia_events {events};
client_header_timeout 60s;
client_body_timeout 60s;
upstream app {{ server 127.0.0.1:{origin}; keepalive 8; }}
guia_rules rules.conf;
guia on;
proxy_http_version 1.1;
proxy_set_header Connection "";
server {{
    listen 127.0.0.1:{one};
    listen 127.0.0.1:{h2} http2;
    server_name one;
    guia_site one.example;
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Real;
    location / {{ try_files /none @fine; }}
    location @fine {{ return 200 "fine"; }}
    location /app {{ rewrite ^ /echo break; proxy_pass http://app; }}
    location /slow {{ proxy_pass http://app/slow; proxy_read_timeout 300s; }}
    location /off {{ guia off; proxy_pass http://app/echo; }}
}}
server {{
    listen 127.0.0.1:{two};
    guia_site two.example;
    guia_rules '{watching}';
    location / {{ rewrite ^ /echo break; proxy_pass http://app; }}
}}
"""

release = threading.Event()


def slow(handler):
    release.wait(300)
    handler.send(200, b"slow")


origin = Origin({"/slow": slow})
ONE, H2, TWO = free_port(), free_port(), free_port()


def folder_in_memory():
    return pathlib.Path(tempfile.mkdtemp(prefix="guia-events-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None))


class EventsGate(Gate):
    last = None

    def __init__(self, workers=1, events=None, **more):
        if EventsGate.last is not None:
            EventsGate.last.close()  # of a case that failed
        EventsGate.last = self
        self.events = events or folder_in_memory() / "events"
        super().__init__("", workers=workers, start=False, files={"rules.conf": RULES}, **more)
        self.configure(CONFIG.format(events=self.events, origin=origin.port, one=ONE, h2=H2, two=TWO, watching=WATCHING))

    def close(self):
        super().close()
        if str(self.events).startswith("/dev/shm/guia-events-"):
            shutil.rmtree(self.events.parent, ignore_errors=True)

    def boxes(self):
        return outbox.read_all(self.events)

    def site(self, name):
        return outbox.site_sum(self.boxes(), name)

    def ended(self, name, verdict, reason="none"):
        return self.site(name)["ended"].get((verdict, reason), 0)

    def states(self):
        return outbox.states_sum(self.boxes())


def get(path, *arguments, port=None, **more):
    return curl(f"http://127.0.0.1:{port or ONE}{path}", *arguments, **more)


def many(count, port=None, path="/", head=""):
    """`count` requests over kept-alive connections; nginx lets a thousand through each."""
    left = count
    while left > 0:
        batch = min(left, 900)
        with socket.create_connection(("127.0.0.1", port or ONE), timeout=300) as s:
            request = f"GET {path} HTTP/1.1\r\nHost: one\r\n{head}\r\n".encode()
            s.sendall(request * (batch - 1) + f"GET {path} HTTP/1.1\r\nHost: one\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while True:
                piece = s.recv(1 << 16)
                if not piece:
                    break
                answer += piece
        assert answer.count(b"HTTP/1.1 ") == batch, answer[:200]
        left -= batch


def events_of(box, kind=None):
    return [e for e in box.events() if kind is None or e.kind == kind]


@case("a request is told when it comes and when it has ended, with what it was")
def _():
    gate = EventsGate()
    gate.start()
    assert get("/app/page?a=1&b=2", "-A", "someone", "-H", "Accept-Language: pt").status == 200
    assert get("/app/page?b=3&a=2", "-A", "someone").status == 200
    assert get("/evil").status == 403
    assert get("/app?a=bad", "-A", "someone").status == 406
    assert get("/evil?x", port=TWO).status == 200
    assert get("/off").status == 200
    wait_until(lambda: gate.site("one.example")["settled"] and gate.site("one.example")["arrived"] == 5, "the end")
    wait_until(lambda: gate.ended("two.example", "would-block", "rule") == 1, "the end")
    box, = gate.boxes()
    events = events_of(box)
    assert [e.number for e in events] == list(range(12))
    arrivals, ends = events_of(box, outbox.ARRIVAL), events_of(box, outbox.END)
    assert [e.request for e in arrivals] == [e.request for e in ends] == list(range(6))
    assert [e.status for e in ends] == [200, 200, 403, 406, 200, 200]
    assert [e.rule for e in ends] == [0, 0, 1001, 1002, 1001, 0]
    assert [outbox.VERDICTS[e.verdict] for e in ends] == ["pass", "pass", "block", "block", "would-block", "unseen"]
    assert [outbox.REASONS[e.reason] for e in ends] == ["none", "none", "rule", "rule", "rule", "none"]
    assert [box.name(e.site) for e in ends] == ["one.example"] * 4 + ["two.example", "one.example"]
    first, second = arrivals[:2]
    assert first.path == second.path == ends[0].path and first.agent == second.agent != 0
    assert first.query != second.query and first.language != 0 and second.language == 0
    assert first.shape != second.shape and first.present != second.present
    assert arrivals[2].path not in (0, first.path) and arrivals[2].agent != first.agent
    assert all(e.source == bytes(10) + b"\xff\xff\x7f\0\0\1" and e.port > 0 for e in events)
    assert all(e.method == outbox.GET for e in events)
    assert [bool(e.flags & outbox.ORIGIN) for e in ends] == [True, True, False, False, True, True]
    for came, went in zip(arrivals, ends):
        assert came.at_ns < went.at_ns and abs(went.wall_ms / 1000 - time.time()) < 60
        assert went.total_us < 60e6 and went.bytes_in > 50 and went.bytes_out > 100
    gate.close()


@case("counters are exact after 10,000 requests, though the ring was overwritten")
def _():
    gate = EventsGate(workers=2)
    gate.start()
    many(40000)
    many(9000, path="/evil")
    many(1000, path="/app?q=bad")
    many(300, path="/off")
    wait_until(lambda: gate.site("one.example")["settled"], "the last end")
    site = gate.site("one.example")
    assert site["arrived"] == 50300, site
    assert site["ended"] == {("pass", "none"): 40000, ("block", "rule"): 10000, ("unseen", "none"): 300}, site
    assert site["status"] == [0, 0, 40300, 0, 10000, 0], site
    assert site["origin_requests"] == 300 and site["abandoned"] == 0
    heads = sum(box.event_head for box in gate.boxes())
    assert heads == 2 * 50300, heads
    wait_until(lambda: (c := outbox.connections_sum(gate.boxes()))["accepted"] == c["closed"], "every connection closed",
               seen=lambda: outbox.connections_sum(gate.boxes()))
    gate.close()


@case("nothing is lost over reloads, with old and new workers at once")
def _():
    gate = EventsGate(workers=2)
    gate.start()
    release.clear()
    hanging = [threading.Thread(target=get, args=("/slow",), kwargs={"patience": 300}) for _ in range(4)]
    for thread in hanging:
        thread.start()
    wait_until(lambda: gate.states()["waiting"] == 4, "waiting requests")
    total = 4
    for _ in range(3):
        many(500)
        gate.reload()
        many(500)
        total += 1000
    assert len(gate.boxes()) > 2, "old workers have their own"
    wait_until(lambda: gate.site("one.example")["arrived"] == total, "the last arrival")
    site = gate.site("one.example")
    assert site["arrived"] - sum(site["ended"].values()) == 4, site
    release.set()
    for thread in hanging:
        thread.join()
    wait_until(lambda: gate.site("one.example")["settled"], "the slow ones' end")
    assert gate.site("one.example")["ended"] == {("pass", "none"): total}
    assert gate.site("one.example")["abandoned"] == 0
    files = len(gate.boxes())
    wait_until(lambda: len(gate.worker_pids()) == 2, "the old workers' end")
    for _ in range(5):
        gate.reload()
        wait_until(lambda: len(gate.worker_pids()) == 2, "the old workers' end")
    assert len(gate.boxes()) <= max(files, 4), "files are used again"
    gate.close()


@case("a killed worker's sums stay, and what it had in flight is told apart")
def _():
    gate = EventsGate()
    gate.start()
    release.clear()
    total = 0
    for life in range(3):
        many(200)
        threads = [threading.Thread(target=get, args=("/slow",), kwargs={"patience": 300}) for _ in range(3)]
        for thread in threads:
            thread.start()
        total += 203
        wait_until(lambda: gate.site("one.example")["arrived"] == total, "arrivals")
        wait_until(lambda: gate.states()["waiting"] == 3, "waiting requests")
        gate.kill_workers()
        for thread in threads:
            thread.join()
        wait_until(lambda: gate.site("one.example")["abandoned"] == 3 * (life + 1), "the next life")
    release.set()
    site = gate.site("one.example")
    assert site["settled"] and site["ended"] == {("pass", "none"): 600}, site
    wait_until(lambda: (c := outbox.connections_sum(gate.boxes()))["accepted"] == c["closed"] + c["abandoned"], "every connection told of",
               seen=lambda: outbox.connections_sum(gate.boxes()))
    assert len(gate.boxes()) == 1
    gate.close()


@case("workers killed at any moment leave whole events, and counters that agree with them")
def _():
    gate = EventsGate()
    gate.start()
    stop = threading.Event()

    def load():
        while not stop.is_set():
            try:
                many(100)
            except (OSError, AssertionError):
                time.sleep(0.01)
    loads = [threading.Thread(target=load) for _ in range(2)]
    for thread in loads:
        thread.start()
    for i in range(12):
        time.sleep(0.05 + 0.017 * i)
        gate.kill_workers()
    stop.set()
    for thread in loads:
        thread.join()
    many(10)
    wait_until(lambda: gate.site("one.example")["settled"], "the last end")
    box, = gate.boxes()
    events = box.events()
    assert [e.number for e in events] == list(range(events[0].number, box.event_head))
    assert all(e.kind in (outbox.ARRIVAL, outbox.END) for e in events)
    # A worker may die between an event and its count.
    site = gate.site("one.example")
    told = box.event_head - site["arrived"] - sum(site["ended"].values())
    assert -13 <= told <= 13, (told, site)
    gate.close()


def connect(data=b"", port=None):
    s = socket.create_connection(("127.0.0.1", port or ONE), timeout=300)
    if data:
        s.sendall(data)
    return s


@case("the state of every connection is known from accept on")
def _():
    gate = EventsGate()
    gate.start()
    release.clear()
    silent = [connect() for _ in range(3)]
    half = [connect(b"GET / HTTP/1.1\r\nHost: one\r\nX-A: ") for _ in range(4)]
    body = [connect(b"POST /app HTTP/1.1\r\nHost: one\r\nContent-Length: 100\r\n\r\nhalf") for _ in range(5)]
    uninspected = [connect(b"POST /off HTTP/1.1\r\nHost: one\r\nContent-Length: 100\r\n\r\nhalf")]
    waits = [connect(b"GET /slow HTTP/1.1\r\nHost: one\r\n\r\n") for _ in range(6)]
    idle = [connect(b"GET / HTTP/1.1\r\nHost: one\r\n\r\n") for _ in range(2)]
    for s in idle:
        assert s.recv(4096).startswith(b"HTTP/1.1 200")
    wanted = {"reading-header": 7, "idle": 2, "reading-body": 6, "waiting": 6, "writing": 0, "working": 0}
    wait_until(lambda: gate.states() == wanted, f"{wanted}", seen=gate.states)
    # A kept-alive one begins another head, and does not end it.
    idle[0].sendall(b"GET / HT")
    wanted.update({"reading-header": 8, "idle": 1})
    wait_until(lambda: gate.states() == wanted, f"{wanted}", seen=gate.states)
    release.set()
    for s in silent + half + body + uninspected + waits + idle:
        s.close()
    wait_until(lambda: not any(gate.states().values()), "none")
    wait_until(lambda: [outbox.connections_sum(gate.boxes())[name] for name in ("accepted", "closed", "silent")] == [21, 21, 3],
               "the sums of connections", seen=lambda: outbox.connections_sum(gate.boxes()))
    wait_until(lambda: gate.site("one.example")["settled"], "the end of all")
    box, = gate.boxes()
    unread = [e for e in events_of(box, outbox.END) if e.flags & outbox.UNREAD]
    assert len(unread) == 5 and all(box.name(e.site) == "one.example" for e in unread), unread
    gate.close()


@case("HTTP/2: streams are requests of one connection")
def _():
    gate = EventsGate()
    gate.start()
    for path in ("/one", "/evil"):
        curl(f"http://127.0.0.1:{H2}{path}", http2=True)
    wait_until(lambda: gate.site("one.example")["settled"], "the end")
    box, = gate.boxes()
    assert all(e.flags & outbox.HTTP2 for e in box.events())
    assert gate.site("one.example")["ended"] == {("pass", "none"): 1, ("block", "rule"): 1}
    connection = Connection(H2)
    streams = [connection.open("/x") for _ in range(3)]
    assert [connection.finish(stream).status for stream in streams] == [200] * 3
    wait_until(lambda: gate.site("one.example")["arrived"] == 5 and gate.site("one.example")["settled"], "the end")
    box, = gate.boxes()
    ends = events_of(box, outbox.END)[-3:]
    assert len({e.connection for e in ends}) == 1 and len({e.request for e in ends}) == 3
    assert outbox.connections_sum(gate.boxes())["accepted"] == 3
    wait_until(lambda: gate.states()["idle"] == 1, "an idle connection")
    connection.close()
    gate.close()


@case("an address that a trusted proxy names is the source, and marked")
def _():
    gate = EventsGate()
    gate.start()
    assert get("/", "-H", "X-Real: 203.0.113.7").status == 200
    assert get("/", "-H", "X-Real: 2001:db8::7").status == 200
    assert get("/").status == 200
    wait_until(lambda: gate.site("one.example")["settled"] and gate.site("one.example")["arrived"] == 3, "the end")
    box, = gate.boxes()
    events = box.events()
    sources = [socket.inet_ntop(socket.AF_INET6, e.source) for e in events]
    assert sources == ["::ffff:203.0.113.7"] * 2 + ["2001:db8::7"] * 2 + ["::ffff:127.0.0.1"] * 2, sources
    assert [bool(e.flags & outbox.FROM_HEADER) for e in events] == [True] * 4 + [False] * 2
    gate.close()


@case("what nginx refuses by itself is told once, as its own doing")
def _():
    gate = EventsGate()
    gate.start()
    assert raw(ONE, "GET / HTTP/9.9\r\n\r\n").startswith(b"HTTP/1.1 505")
    assert raw(ONE, "G@T / HTTP/1.1\r\nHost: one\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert raw(ONE, "GET /" + "x" * 40000 + " HTTP/1.1\r\nHost: one\r\n\r\n").startswith(b"HTTP/1.1 414")
    wait_until(lambda: gate.site("one.example")["arrived"] == 3 and gate.site("one.example")["settled"], "three ends")
    assert gate.site("one.example")["ended"] == {("unseen", "server"): 3}, gate.site("one.example")
    gate.close()


@case("heads are a sample, and hold no secret")
def _():
    gate = EventsGate()
    gate.start()
    get("/app?user=ann&password=hunter2", "-H", "Authorization: Basic c2VjcmV0", "-H", "Cookie: session=topsecret",
        "-H", "X-Plain: visible", "-A", "browser")
    many(5000)
    wait_until(lambda: gate.site("one.example")["settled"], "the end")
    box, = gate.boxes()
    heads = box.heads()
    text = heads[0].text.decode()
    assert text.startswith("GET /app?user=ann&password=") and "X-Plain: visible" in text, text
    for secret in ("hunter2", "c2VjcmV0", "topsecret"):
        assert secret not in text, text
    assert heads[0].agent == box.events()[0].agent and heads[0].path == box.events()[0].path
    assert 8 <= len(heads) < 2000, len(heads)
    gate.close()


@case("a directory that does not do costs the events and nothing else")
def _():
    for make, what in ((lambda path: None, "No such file"), (lambda path: path.write_text("x"), "Not a directory"),
                       (lambda path: (path.mkdir(), path.chmod(0o777)), "Operation not permitted")):
        parent = folder_in_memory()
        path = parent / ("absent/events" if what.startswith("No such") else "events")
        make(path)
        gate = EventsGate(events=path)
        gate.start()
        assert get("/").status == 200 and get("/evil").status == 403
        assert any(what in line for line in gate.logged("serves without telling events")), gate.errors()
        assert get("/app").status == 200
        gate.close()
        shutil.rmtree(parent, ignore_errors=True)


@case("a full disk costs the events and nothing else")
def _():
    if os.getuid() != 0:
        return
    folder = folder_in_memory()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=False)
    if mounted.returncode != 0:
        return
    try:
        (folder / "events").mkdir()
        gate = EventsGate(events=folder / "events")
        gate.start()
        assert get("/").status == 200 and get("/evil").status == 403
        assert any("No space left" in line for line in gate.logged("serves without telling events"))
        gate.close()
    finally:
        subprocess.run(["umount", folder], check=True)
        shutil.rmtree(folder)


@case("a file of another version, or a broken one, is replaced and told")
def _():
    gate = EventsGate()
    gate.events.mkdir(0o750)
    (gate.events / "worker-0").write_bytes(b"guiaOUT\0" + struct.pack("<I", 99) + bytes(100000))
    gate.start()
    assert get("/").status == 200
    gate.logged("of another version or broken")
    wait_until(lambda: gate.site("one.example")["arrived"] == 1, "an event")
    gate.close()


main()
