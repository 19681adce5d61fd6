"""Connections of a source: counted from accept by all workers together; who has too many loses what brings nothing, and
people behind the same address who ask for something see nothing of it."""
import contextlib
import http.client
import socket
import sys
import threading
import time

import outbox
from harness import Gate, Origin, Skip, case, curl, free_port, main, wait_until
from publishing import Writer

PORT, SMALL, H2 = free_port(), 40, free_port()
origin = Origin()
gate = Gate("", start=False, workers=2, files={"rules.conf": "SecRuleEngine On\nSecRequestBodyAccess On\n"})
bans = gate.folder / "bans"
bans.mkdir()
gate.configure(f"""
guia_events {gate.folder}/events; guia_bans {bans}; guia_trusted_proxies 127.0.5.0/24; guia_body_rate 0;
guia_connections 8m source={SMALL} network=60;
keepalive_timeout 65s; client_header_timeout 60s; client_body_timeout 60s;
server {{
    listen 127.0.0.1:{PORT} reuseport; listen 127.0.0.1:{H2} http2;
    guia on; guia_rules rules.conf;
    location / {{ proxy_pass http://127.0.0.1:{origin.port}; }}
}}
""")
gate.start()
say = Writer(sys.argv.pop(2), bans).say


def connect(source, beginning=b"GET /ec", port=PORT):
    s = socket.create_connection(("127.0.0.1", port), timeout=300, source_address=(source, 0))
    if beginning:
        s.sendall(beginning)
    return s


def is_open(s):
    s.setblocking(False)
    try:
        return s.recv(4096) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        s.setblocking(True)


def left_of(connections):
    return [s for s in connections if is_open(s)]


def sums():
    return outbox.connections_sum(outbox.read_all(gate.folder / "events", rings=False))


def open_now():
    """That any worker has open, or one that was killed had."""
    told = sums()
    return told["accepted"] - told["closed"] - told["abandoned"]


def close(connections):
    """And all that are open: none of them is counted to its source when this returns."""
    for s in connections:
        s.close()
    gate.looked()  # what still waited to be accepted has been
    wait_until(lambda: open_now() == 0, "the end of every connection", seen=sums)


def accepted():
    """By each worker."""
    return [box.connections()[0] for box in outbox.read_all(gate.folder / "events", rings=False)]


def hoard(sources, count, dealt=None, **more):
    """So many of a source, or of each of several, all of them accepted when this returns; `dealt` gets how many came to each
    worker: the kernel deals them out by chance."""
    sources = [sources] if isinstance(sources, str) else sources
    before, made = accepted(), []
    for source in sources:
        made += [connect(source, **more) for _ in range(count)]
    wait_until(lambda: sum(accepted()) >= sum(before) + len(made), "what was opened")
    if dealt is not None:
        dealt[:] = [b - a for a, b in zip(before, accepted())]
    return made


def status(source, path="/echo"):
    return curl(f"http://127.0.0.1:{PORT}{path}", "--interface", source).status


def is_quick(began):
    """What was opened since then is no older than what may be ended."""
    return time.monotonic() - began < 0.9


@case("who has too many loses those that bring nothing, the oldest first, in both workers; others are let alone")
def _():
    # Where this takes longer than a head may, the new ones are old, too: then it says nothing, and is done again.
    for attempt in range(10):
        source = f"127.0.1.{100 + attempt}"
        old, new = [], []
        first, beside = hoard(source, SMALL, old), hoard("127.0.2.1", SMALL)
        time.sleep(1.2)
        assert len(left_of(first)) == SMALL
        began = time.monotonic()
        more = hoard(source, SMALL, new)
        ended = sum(map(min, old, new))  # each worker ends those that it has itself
        wait_until(lambda: len(left_of(first)) <= SMALL - ended or not is_quick(began), "the oldest to go")
        left, quick = len(left_of(more)), is_quick(began)
        if quick:
            break
        close(first + more + beside)
    if not quick:
        raise Skip("this machine is too slow to tell")
    assert left == SMALL and len(left_of(first)) == SMALL - ended and len(left_of(beside)) == SMALL
    assert status(source) == 200 and status("127.0.2.1") == 200
    assert gate.logged("guia_connections: of sources that had too many")
    close(first + more + beside)


def kept(source):
    """An idle connection that was surely accepted."""
    s = connect(source, b"GET /echo HTTP/1.1\r\nHost: a\r\n\r\n")
    assert s.recv(4096).startswith(b"HTTP/1.1 200")
    return s


@case("what is idle goes before what is served, and a body that trickles goes too")
def _():
    half = SMALL // 2
    for attempt in range(10):
        source, idle_of, bodies_of, new, newer = f"127.0.1.{20 + attempt}", [], [], [], []
        before = accepted()
        idle = [kept(source) for _ in range(half)]
        idle_of[:] = [b - a for a, b in zip(before, accepted())]
        bodies = hoard(source, half, bodies_of, beginning=b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n"
                       b"Content-Type: application/x-www-form-urlencoded\r\n\r\na=")
        wait_until(lambda: outbox.states_sum(outbox.read_all(gate.folder / "events", rings=False))["reading-body"] == half, "bodies")
        time.sleep(2.3)
        began = time.monotonic()
        more = hoard(source, half, new)
        idle_gone = list(map(min, idle_of, new))
        bodies_gone = [min(n - i, b) for n, i, b in zip(new, idle_gone, bodies_of)]
        wait_until(lambda: len(left_of(idle)) <= half - sum(idle_gone) or not is_quick(began), "idle ones to go")
        wait_until(lambda: len(left_of(bodies)) <= half - sum(bodies_gone) or not is_quick(began), "bodies of a worker that has no idle ones")
        first = len(left_of(idle)), len(left_of(bodies))
        more += hoard(source, half, newer)
        gone = [min(i + b, n + m) for i, b, n, m in zip(idle_of, bodies_of, new, newer)]
        wait_until(lambda: len(left_of(idle + bodies)) <= SMALL - sum(gone) or not is_quick(began), "bodies to go")
        quick = is_quick(began)  # else the new ones are old, too
        if quick:
            break
        close(idle + bodies + more)
    if not quick:
        raise Skip("this machine is too slow to tell")
    assert first == (half - sum(idle_gone), half - sum(bodies_gone)), (first, idle_of, bodies_of, new)
    assert len(left_of(idle + bodies)) == SMALL - sum(gone) and len(left_of(more)) == SMALL, (idle_of, bodies_of, new, newer)
    close(idle + bodies + more)


@case("twice as many, and none that is old: then no more are let in")
def _():
    made = hoard("127.0.1.3", 3 * SMALL)
    wait_until(lambda: len(left_of(made)) <= 2 * SMALL, "the rest to be closed")
    assert len(left_of(made)) >= SMALL and status("127.0.2.3") == 200
    close(made)
    wait_until(lambda: status("127.0.1.3") == 200, "room again")


class Person(threading.Thread):
    """Asks again and again over one connection. What came of the last request is no older than its asking: until 0.9 s after
    that nothing may end the connection. Where this machine lets more time pass he begins with another, and is not counted
    before that is let in."""

    def __init__(self, number, stop):
        super().__init__()
        self.number, self.stop, self.answered, self.wrong = number, stop, 0, []
        self.connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=300, source_address=("127.0.1.4", 0))
        self.start()

    def ask(self):
        self.connection.request("GET", f"/echo?{self.number}")
        reply = self.connection.getresponse()
        reply.read()
        if reply.status != 200:
            self.wrong.append(reply.status)
        self.answered += 1

    def run(self):
        since = None  # when the last request that was answered on this connection was asked
        while not self.stop.is_set():
            if since is not None and not is_quick(since):
                self.connection.close()
                since = None
            asked = time.monotonic()
            try:
                self.ask()
                since = asked
            except (http.client.HTTPException, OSError) as error:
                if since is not None and is_quick(since):
                    self.wrong.append(repr(error))
                self.connection.close()
                since = None
            time.sleep(0.2)
        self.connection.close()


@case("many behind one address ask and are answered, whatever five among them do")
def _():
    stop = threading.Event()

    def attack():
        own = []
        while not stop.is_set():
            try:
                own.append(connect("127.0.1.4", b"GET /" if len(own) % 2 else b""))
            except OSError:
                pass
            if len(own) > 120:
                own.pop(0).close()
            time.sleep(0.05)
        for s in own:
            s.close()
    people = [Person(i, stop) for i in range(SMALL // 2)]
    with contextlib.suppress(AssertionError):
        wait_until(lambda: all(person.answered for person in people), "an answer for each, as long as there is room for all")
    came = [person.answered for person in people]
    attackers = [threading.Thread(target=attack) for _ in range(5)]
    for thread in attackers:
        thread.start()
    time.sleep(6)
    with contextlib.suppress(AssertionError):
        wait_until(lambda: sum(person.answered for person in people) > sum(came) + 200 or any(person.wrong for person in people), "answers")
    stop.set()
    for thread in attackers + people:
        thread.join()
    answered, wrong = sum(person.answered for person in people) - sum(came), [w for person in people for w in person.wrong]
    assert all(came) and answered > 200 and not wrong, (came, answered, wrong[:5])
    close([])


@case("a network has a number of its own; an allowance and a trusted proxy have any number")
def _():
    say("allow 127.0.3.1 5 600000", "base")
    gate.looked()
    made = hoard([f"127.0.4.{i}" for i in range(1, 61)], 1)
    time.sleep(1.2)
    made += hoard([f"127.0.4.{i}" for i in range(100, 120)], 1)
    wait_until(lambda: len(left_of(made)) <= 65, "those of the network to go")
    allowed, proxy = hoard("127.0.3.1", 3 * SMALL), hoard("127.0.5.1", 3 * SMALL)
    time.sleep(1.2)
    allowed += hoard("127.0.3.1", 5)
    proxy += hoard("127.0.5.1", 5)
    time.sleep(0.3)
    assert len(left_of(allowed)) == 3 * SMALL + 5 and len(left_of(proxy)) == 3 * SMALL + 5
    close(made + allowed + proxy)


@case("over HTTP/2 too, and an idle connection of it may go")
def _():
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
    made = hoard("127.0.1.5", SMALL, beginning=preface, port=H2)
    time.sleep(1.2)
    assert curl(f"http://127.0.0.1:{H2}/echo", "--interface", "127.0.1.5", http2=True).status == 200
    close(made)


@case("what a killed worker had open is forgotten, and a reload counts what old workers still have")
def _():
    # What waits to be accepted outlives the worker for whom it waits.
    made = [kept("127.0.1.6") for _ in range(SMALL)]
    gate.kill_workers()
    wait_until(lambda: len(left_of(made)) == 0, "the end of the dead workers' connections")
    close(made)
    wait_until(lambda: status("127.0.1.6") == 200, "new workers")
    close([])
    # Were the dead workers' connections still counted, these would be too many, and the old ones among them closed.
    made = hoard("127.0.1.6", SMALL - 5)
    time.sleep(2.3)
    made += hoard("127.0.1.6", 5)
    gate.looked()
    assert len(left_of(made)) == SMALL
    close(made)
    gate.reload()
    assert status("127.0.1.6") == 200
    close([])
    made = hoard("127.0.1.6", SMALL)
    time.sleep(0.3)
    assert len(left_of(made)) == SMALL
    close(made)


@case("what a person wrote wrong is told")
def _():
    for directive, says in (("guia_connections 1m;", "4m or more"), ("guia_connections 8m source=x;", "is none of"),
                            ("guia_connections 8m people=5;", "is none of"),
                            ("guia_connections 8m; guia_connections 8m;", "is duplicate")):
        wrong = Gate(directive, start=False)
        accepted, text = wrong.check()
        assert not accepted and says in text, (directive, text)
        wrong.close()


main()
