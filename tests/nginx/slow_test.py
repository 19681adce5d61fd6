"""Slow clients hold connections only while there are enough: heads and bodies that trickle in make way for visitors, and
nobody is closed who does not."""
import contextlib
import socket
import subprocess
import sys
import time

import http2
import outbox
from harness import PATIENCE, Gate, Origin, case, free_port, main, wait_until

WRITER = sys.argv.pop(2)
PORT, H2 = free_port(), free_port()
RATE_SECONDS = 10  # after which guia_body_rate is asked of a body
HEAD = b"GET /echo HTTP/1.1\r\nHost: site\r\nX-Slow: "
POST = b"POST /echo HTTP/1.1\r\nHost: site\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\na="
origin = Origin()
gate = Gate("", start=False, files={"rules.conf": "SecRuleEngine On\nSecRequestBodyAccess On\n"})
bans, events = gate.folder / "bans", gate.folder / "events"
bans.mkdir()
gate.configure(f"""
guia_events {events}; guia_bans {bans}; guia_body_rate 300;
client_header_timeout 60s; client_body_timeout 60s;
server {{
    listen 127.0.0.1:{PORT}; listen 127.0.0.1:{H2} http2;
    guia on; guia_rules rules.conf;
    location / {{ proxy_pass http://127.0.0.1:{origin.port}; }}
    location /stream {{ guia_body_rate 0; proxy_pass http://127.0.0.1:{origin.port}; }}
}}
""")
gate.start()


def open_connections(count, beginning):
    made = []
    for _ in range(count):
        s = socket.create_connection(("127.0.0.1", PORT), timeout=300)
        s.sendall(beginning)
        made.append(s)
    return made


def drip(connections):
    """One more byte each -> those that are still open."""
    left = []
    for s in connections:
        s.setblocking(False)
        try:
            s.send(b"a")
            s.recv(1)
        except BlockingIOError:
            left.append(s)
            continue
        except OSError:
            pass
        s.close()
    return left


def close(connections):
    for s in connections:
        s.close()


def visit():
    """-> the status. A visitor whom this machine kept from asking for as long as a slow head takes is one: he comes again."""
    for _ in range(10):
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", PORT), timeout=60) as s:
            s.sendall(b"GET /echo HTTP/1.1\r\nHost: site\r\nConnection: close\r\n\r\n")
            quick, answer = time.monotonic() < began + 0.9, b""
            with contextlib.suppress(OSError):
                while piece := s.recv(4096):
                    answer += piece
        if quick or answer:
            break
    return int(answer[9:12] or 0)


def visits(times):
    return [visit() for _ in range(times)]


def shed():
    return outbox.shed_sum(outbox.read_all(events, rings=False))


def states():
    return outbox.states_sum(outbox.read_all(events, rings=False))


def quiet():
    """Nobody is left of what was before."""
    gate.looked(events)
    wait_until(lambda: not any(states().values()), "no connections", seen=states)


def accepted():
    return outbox.connections_sum(outbox.read_all(events, rings=False))["accepted"]


def publish(shed_ms):
    lines = f"shed {shed_ms}\npublish\n"
    told = subprocess.run([WRITER, bans, events], input=lines, capture_output=True, text=True, timeout=300)
    assert told.stdout == "ok\nok\n", told


def complaints(text):
    """How many lines of the error log hold it."""
    return sum(text in line for line in gate.log_lines("error.log"))


def visitors_served_beside(count, beginning, says, kind):
    before = shed()
    slow = open_connections(count, beginning)
    began = time.monotonic()
    while (took := time.monotonic() - began) < 4 or (shed()[kind] == before[kind] and took < PATIENCE):
        slow = drip(slow)
        slow += open_connections(10, beginning)  # they come again
        time.sleep(0.2)
    assert visits(10) == [200] * 10
    assert gate.logged(says)
    assert shed()[kind] > before[kind], (before, shed())
    close(slow)


@case("heads that trickle in make way for visitors")
def _():
    visitors_served_beside(700, HEAD, "that had sent no whole head", "heads")


@case("bodies that trickle in make way for visitors")
def _():
    visitors_served_beside(700, POST, "that sent a body slowly", "bodies")


@case("connections of HTTP/2 whose slow bodies begin one behind the other make way for visitors")
def _():
    slow, before, began = [], shed()["bodies"], time.monotonic()
    while (took := time.monotonic() - began) < 4.8 or (shed()["bodies"] == before and took < PATIENCE):
        slow = [c for c in slow if not c.closed] + [http2.Connection(H2) for _ in range(40 if slow else 480)]
        for c in slow:
            c.data(c.open("/echo", "POST", [("content-length", "5000")], end=False), b"a=1", end=False)
        time.sleep(0.4)
    assert visits(10) == [200] * 10
    assert shed()["bodies"] > before, shed()
    close([c.socket for c in slow])


@case("heads that come all at once make way for visitors before the next look is due")
def _():
    full, slow = "worker_connections are not enough", []
    quiet()
    for _ in range(3):
        before, more = accepted(), open_connections(300 - len(slow), HEAD)
        slow += more
        wait_until(lambda b=before, m=more: accepted() >= b + len(m), "what was opened")
        time.sleep(1.5)  # a head that takes less is not slow
        said = complaints(full)
        slow += open_connections(200, HEAD)
        assert visits(2) == [200] * 2
        assert complaints(full) == said, (said, complaints(full), shed())
        slow = drip(slow)
    close(slow)


@case("while there is room a slow head is let alone, and a slow body that keeps its rate")
def _():
    # Where this takes so long that the rate is asked of bodies that this machine did not send, it is done again.
    for _ in range(10):
        quiet()
        began = time.monotonic()
        heads, bodies = open_connections(20, HEAD), open_connections(20, POST)
        for _ in range(5):
            time.sleep(0.5)
            heads, bodies = drip(heads), drip(bodies)
            for s in bodies:
                s.setblocking(True)
                with contextlib.suppress(OSError):
                    s.sendall(b"b" * 400)
        bodies = drip(bodies)
        close(heads + bodies)
        if time.monotonic() < began + RATE_SECONDS:
            break
    assert (len(heads), len(bodies)) == (20, 20), (len(heads), len(bodies))


def timed_out():
    """How many requests have a line with 408."""
    return sum(line.startswith("408 ") for line in gate.log_lines())


@case("a body below guia_body_rate is given up after ten seconds, with 408 where HTTP/1 can say so, and not where its location asks for no rate")
def _():
    quiet()  # of those that trickled before some may have been given up for it, too, where they took ten seconds
    before, said, lines = shed()["below-rate"], complaints("below guia_body_rate"), timed_out()
    streams = open_connections(1, POST.replace(b"/echo", b"/stream"))  # has come for longer than the other
    began = time.monotonic()
    [s] = open_connections(1, POST)
    s.settimeout(60)
    answer = b""
    while time.monotonic() - began < PATIENCE and not answer:
        try:
            s.settimeout(0.5)
            s.sendall(b"c")
            answer = s.recv(4096)
            break
        except socket.timeout:
            continue
        except OSError:
            break
    assert time.monotonic() - began >= RATE_SECONDS, answer
    wait_until(lambda: complaints("below guia_body_rate") > said, "that it is said")
    wait_until(lambda: shed()["below-rate"] == before + 1, "its number", seen=shed)
    wait_until(lambda: timed_out() > lines, "a line with 408")
    boxes = outbox.read_all(events, rings=False)
    ends = [outbox.site_sum(boxes, name)["ended"] for name in set().union(*(box.sites() for box in boxes))]
    assert any(reason == "server" for one in ends for _, reason in one), ends
    assert drip(streams) == streams
    close(streams)
    assert visits(3) == [200] * 3


@case("told of an attack of slow clients the gate closes heads and bodies early, down to a quarter of its connections, and no body that comes")
def _():
    # Where this takes so long that the rate is asked of its bodies, too, it is done again.
    for attempt in range(10):
        quiet()
        began = time.monotonic()
        heads, bodies = open_connections(120, HEAD), open_connections(120, POST)
        steady = open_connections(20, POST.replace(b"5000", b"60000") + b"b" * 20000)
        for _ in range(5):
            time.sleep(0.5)
            heads, bodies = drip(heads), drip(bodies)
        at_first, before = (len(heads), len(bodies)), shed()
        for s in steady:
            s.sendall(b"b" * 20000)
        publish(60000)
        while (heads or len(bodies) > 130) and time.monotonic() < began + PATIENCE:
            time.sleep(0.2)
            heads, bodies = drip(heads), drip(bodies)
        if time.monotonic() < began + RATE_SECONDS or attempt == 9:
            break
        publish(0)
        close(heads + bodies + steady)
    assert at_first == (120, 120), at_first
    assert heads == [] and 90 < len(bodies) <= 130, (len(heads), len(bodies))
    after = shed()
    assert after["heads"] - before["heads"] == 120 and after["bodies"] > before["bodies"], (before, after)
    assert len(drip(steady)) == 20
    assert visits(3) == [200] * 3
    publish(0)
    close(bodies + steady)


main()
