"""The door: where more connect at once than can be begun with, who was here before comes first, and of strangers the latest; the
oldest are turned away. The worker is stopped while they come, so that all of them wait when it goes on. TAP."""
import contextlib
import os
import signal
import socket
import sys

import outbox
from harness import Gate, Origin, case, free_port, main, wait_until
from publishing import Writer

PORT, CONNECTIONS, STRANGERS = free_port(), 512, 300
ROOM, EACH_TURN = CONNECTIONS // 8, 8  # nginx/door.c
VISITOR, ALLOWED, PROXY = "127.0.1.1", "127.0.1.2", "127.0.5.5"
origin = Origin()
gate = Gate("", start=False, files={"rules.conf": "SecRuleEngine On\n"})
bans = gate.folder / "bans"
bans.mkdir()


gate.configure(f"""
guia_events {gate.folder}/events; guia_bans {bans}; guia_admission 4m; guia_admission_wait 30s; guia_trusted_proxies 127.0.5.0/24;
guia on; guia_rules rules.conf;
upstream origin {{ server 127.0.0.1:{origin.port} max_fails=0; }}
server {{ listen 127.0.0.1:{PORT} backlog=1024; location / {{ proxy_pass http://origin; }} }}
""", events="multi_accept on;")
gate.start()
writer = Writer(sys.argv.pop(2), bans)


def connect(source, request=b"GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"):
    s = socket.create_connection(("127.0.0.1", PORT), timeout=300, source_address=(source, 0))
    s.sendall(request)
    return s


def answer(s):
    """The status; 0: it was closed or reset."""
    with contextlib.suppress(OSError), s:
        got = s.recv(65536)
        return int(got.split()[1]) if got else 0
    return 0


def begun(connections):
    """Who was begun with: what then became of it is admission's, 502 where the origin had no slot."""
    return [answer(s) != 0 for s in connections]


@contextlib.contextmanager
def stopped():
    """The worker does nothing meanwhile."""
    (pid,) = gate.serving_pids()
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def counts():
    return outbox.shed_sum(outbox.read_all(gate.folder / "events"))["turned-away"]


def strangers(count, network):
    return [connect(f"127.1.{network}.{1 + n % 250}") for n in range(count)]


def is_known(source):
    """Once it was answered when nothing was wrong."""
    return answer(connect(source)) == 200


@case("who was here before comes first, then the latest strangers, and the others are turned away")
def _():
    wait_until(lambda: is_known(VISITOR), "a visitor")
    gate.looked()  # he is known once his visit is logged, which is after its answer
    with stopped():
        early = connect(VISITOR)
        waiting = strangers(STRANGERS, 3)
        late = connect(VISITOR)
    assert (answer(early), answer(late)) == (200, 200)
    got = begun(waiting)
    taken = ROOM - 2  # two places are the visitor's
    assert got == [False] * (STRANGERS - taken) + [True] * taken, got
    assert counts() == STRANGERS - taken
    assert answer(connect("127.1.9.77")) == 200
    gate.logged("more connections come than can be begun with")


@case("as long as there is time for all nobody is turned away")
def _():
    before = counts()
    assert all(begun(strangers(ROOM, 1)))
    with stopped():
        waiting = strangers(ROOM, 2)
    assert all(begun(waiting)) and counts() == before


@case("who is allowed, and a proxy that is trusted, do not wait")
def _():
    before = counts()
    writer.say(f"allow {ALLOWED} 5 600000", "base")
    gate.looked()
    with stopped():
        those = [connect(ALLOWED), connect(PROXY)]
        waiting = strangers(STRANGERS, 4)
    assert [answer(s) for s in those] == [200, 200]
    got = begun(waiting)
    assert got.count(True) == ROOM and counts() - before == STRANGERS - ROOM, (got, counts() - before)


@case("whoever can be begun with in one turn is, however few connections a worker may have")
def _():
    gate.stop()
    whole = gate.config.read_text()
    gate.config.write_text(whole.replace(f"worker_connections {CONNECTIONS};", "worker_connections 32;"))
    gate.start()
    before = counts()
    with stopped():
        waiting = strangers(EACH_TURN, 6)
    assert all(begun(waiting)) and counts() == before
    gate.stop()
    gate.config.write_text(whole)
    gate.start()


@case("where nobody knows who was here before nobody waits at the door")
def _():
    gate.stop()
    gate.config.write_text(gate.config.read_text().replace("guia_admission 4m; guia_admission_wait 30s;", ""))
    gate.start()
    before = counts()
    with stopped():
        waiting = strangers(2 * ROOM, 5)
    assert all(begun(waiting)) and counts() == before


main()
