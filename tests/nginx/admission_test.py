"""Admission: a flood is asked of the origin only as it can answer, visitors seen before go first, others get a copy or are
refused; who leaves, dies or is reloaded away leaves no slot behind."""
import asyncio
import contextlib
import itertools
import os
import signal
import socket
import ssl
import subprocess
import threading
import time

import http2
from harness import PATIENCE, Gate, case, curl, free_port, main, wait_until
from slot_origin import PAGE_SECONDS, SLOTS, SlotOrigin, hold

RULES = 'SecRuleEngine On\nSecRule ARGS:q "@contains attack" "id:1,phase:1,deny,status:403,nolog"\n'


async def ask(port, source, path):
    """-> (status, body); status 0 where no answer came."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    except OSError:
        return 0, b""
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: site\r\nConnection: close\r\n\r\n".encode())
        answer = await asyncio.wait_for(reader.read(), 60)
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split(b" ")[1]) if head else 0, body
    except (OSError, IndexError, asyncio.TimeoutError):
        return 0, b""
    finally:
        writer.close()


class Flood:
    """So many clients at once, each with an address of its own if none is given, asking until it is closed."""

    def __init__(self, port, clients, path="/flood", source=None):
        self.port, self.path, self.source = port, path, source
        self.statuses, self.going, self.number = {}, True, 0
        self.thread = threading.Thread(target=lambda: asyncio.run(self.run(clients)))
        self.thread.start()

    async def client(self, n):
        source = self.source or f"127.7.{n // 250}.{1 + n % 250}"
        while self.going:
            self.number += 1
            status, _ = await ask(self.port, source, f"{self.path}?n={self.number}")
            self.statuses[status] = self.statuses.get(status, 0) + 1
            await asyncio.sleep(0.02)

    async def run(self, clients):
        await asyncio.gather(*(self.client(n) for n in range(clients)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.going = False
        self.thread.join()


def visit(port, source="127.0.1.1", path="/visit", times=1, pause=0.0):
    async def visits():
        answers = []
        for n in range(times):
            answers.append(await ask(port, source, f"{path}?v={n}"))
            await asyncio.sleep(pause)
        return answers
    return asyncio.run(visits())


def certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=site", "-keyout", folder / "key", "-out", folder / "certificate"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate", folder / "key")
    return context


gate = Gate("", start=False, files={"rules.conf": RULES})
plain, tls = SlotOrigin(), SlotOrigin(certificate(gate.folder))
PLAIN, KEPT, TLS, DOWN, BYPASS, STREAMS, SECURE, LIMITED = (free_port() for _ in range(8))
gate.configure(f"""
guia_admission 4m; guia_admission_wait 50s; guia_limits 1m;
guia on; guia_rules rules.conf;
proxy_cache_path {gate.folder}/copies keys_zone=copies:1m;
log_format admission '$status $remote_addr $msec $request_time $upstream_response_time "$guia_admission"';
access_log {gate.folder}/admission.log admission;
upstream plain {{ server 127.0.0.1:{plain.port} max_fails=0; }}
upstream kept {{ server 127.0.0.1:{plain.port} max_fails=0; keepalive 8; }}
upstream tls {{ server 127.0.0.1:{tls.port} max_fails=0; keepalive 8; }}
upstream down {{ server 127.0.0.1:{free_port()} max_fails=0; server 127.0.0.1:{free_port()} max_fails=0; }}
proxy_http_version 1.1; proxy_set_header Connection "";
server {{ listen 127.0.0.1:{SECURE}; location / {{ proxy_pass https://tls; proxy_read_timeout 2s; }} }}
server {{
    listen 127.0.0.1:{LIMITED};
    guia_limit source=1ms burst=1000s;
    location / {{ proxy_pass http://plain; }}
    location = /owes {{ empty_gif; }}
}}
server {{
    listen 127.0.0.1:{PLAIN}; listen 127.0.0.1:{STREAMS} http2;
    location / {{ proxy_pass http://plain; }}
    location /copy {{
        proxy_pass http://plain; proxy_cache copies; proxy_cache_key $uri; proxy_cache_valid 200 1s;
        proxy_cache_use_stale error timeout; add_header X-Copy $upstream_cache_status;
    }}
}}
server {{
    listen 127.0.0.1:{BYPASS};
    location = /nothing {{ empty_gif; }}
    location / {{
        proxy_pass http://plain; proxy_cache copies; proxy_cache_key $uri$args; proxy_cache_bypass $arg_session;
        proxy_cache_use_stale error; proxy_cache_valid 200 1m;
    }}
}}
server {{ listen 127.0.0.1:{KEPT}; location / {{ proxy_pass http://kept; }} }}
server {{ listen 127.0.0.1:{TLS}; location / {{ proxy_pass https://tls; }} }}
server {{ listen 127.0.0.1:{DOWN}; location / {{ proxy_pass http://down; }} }}
""")
gate.start()


def learn(port, path="/flood"):
    """What the origin takes for it in quiet is known, however long this machine took for the first answers."""
    wait_until(lambda: [s for s, _ in visit(port, "127.0.7.7", path, times=24)] == [200] * 24, "answers in quiet")


def begin_anew(port):
    """nginx with a memory of its own: nothing is pressed, and who visits now is seen in quiet, however long ago the last flood was."""
    gate.stop()
    gate.start()
    learn(port)


@contextlib.contextmanager
def flood_of_strangers(port, origin, clients, **more):
    """A flood of whom nobody was seen in quiet, however slowly they come: none is answered before one is refused."""
    release = origin.call(hold(origin))
    with Flood(port, clients, **more) as flood:
        try:
            wait_until(lambda: flood.statuses.get(502, 0) > 0, "the first refusal", seen=lambda: flood.statuses)
        finally:
            origin.call(release())
        yield flood


def flooded(port, origin):
    """Visitors seen in quiet are all answered, by the origin; of the others as many as it can."""
    begin_anew(port)
    assert [s for s, _ in visit(port, times=5)] == [200] * 5
    with flood_of_strangers(port, origin, 150) as flood:
        wait_until(lambda: flood.statuses.get(502, 0) > 50, "refusals", seen=lambda: flood.statuses)
        origin.most_inside, before = origin.inside, origin.answered
        answers = visit(port, times=30, pause=0.02)
        assert answers == [(200, f"made for /visit?v={n}".encode()) for n in range(30)], answers
        assert origin.most_inside < 60, origin.most_inside
        assert origin.answered > before
    assert set(flood.statuses) <= {200, 502, 0} and flood.statuses[200] > 0, flood.statuses


@case("a flood does not crowd out visitors seen before, nor the origin")
def _():
    flooded(PLAIN, plain)
    lines = (gate.folder / "admission.log").read_text().splitlines()
    assert any(l.startswith("502 127.7.") and l.endswith('"refused"') for l in lines)
    assert any(l.startswith("200 127.7.") and l.endswith('"waited"') for l in lines)
    assert not any(" 127.0.1.1 " in l and "refused" in l for l in lines)


CLOCKS_MS = 2  # which the two differ by: when one came is of the wall clock, when his origin was asked of another


def came(line):
    """When a request of the admission log began, in milliseconds of the worker's clock, which stands still within a turn."""
    return round(1000 * (float(line[2]) - float(line[3])))


def sent(line):
    """When its origin was asked."""
    return round(1000 * (float(line[2]) - float(line[4])))


def is_late(line):
    """Whether it waited and was answered."""
    return line[0] == "200" and line[-1] == '"waited"'


def newcomers_waited(log):
    return sum(l[1].startswith("127.8.") and is_late(l) for l in map(str.split, log.read_text().splitlines()))


@case("a slot that comes free is theirs who wait, not of who comes next, though a worker finds both at once")
def _():
    begin_anew(PLAIN)
    worker, = gate.worker_pids()
    log = gate.folder / "admission.log"
    with flood_of_strangers(PLAIN, plain, 150) as flood:
        end = time.monotonic() + PATIENCE
        # So often, and until one of them has waited and come to his turn: a machine that is slow may have few of them find a place.
        for turn in itertools.takewhile(lambda turn: turn < 12 or not newcomers_waited(log) and time.monotonic() < end, range(250)):
            wait_until(lambda: flood.statuses.get(502, 0) > 50, "refusals", seen=lambda: flood.statuses)
            if turn == 2:  # who was let in before anybody had to wait has his answer
                before = len(log.read_text().splitlines())
            # Whom the worker knows already ask after the origin answered: it finds both in one turn of its loop.
            newcomers = [socket.create_connection(("127.0.0.1", PLAIN), 60, (f"127.8.{turn}.{n + 1}", 0)) for n in range(8)]
            time.sleep(0.1)
            os.kill(worker, signal.SIGSTOP)
            try:
                time.sleep(4 * PAGE_SECONDS)
                for newcomer in newcomers:
                    newcomer.sendall(b"GET /next HTTP/1.1\r\nHost: site\r\nConnection: close\r\n\r\n")
            finally:
                os.kill(worker, signal.SIGCONT)
            for newcomer in newcomers:
                answer = newcomer.makefile("rb").read()
                assert answer[9:12] in (b"200", b"502"), answer
                newcomer.close()
            flood.statuses[502] = 0
    lines = [l.split() for l in log.read_text().splitlines()[before:]]
    waited = [l for l in lines if is_late(l)]
    assert any(l[1].startswith("127.8.") for l in waited), len(waited)
    waiting = [(came(l), sent(l)) for l in waited]
    for line in lines:
        if line[0] == "200" and line[-1] == '"-"':
            passed = [w for w in waiting if w[0] < came(line) < w[1] - CLOCKS_MS]
            assert passed == [], (line, len(passed), passed[:3])


@case("the same over connections kept open to the origin")
def _():
    flooded(KEPT, plain)


@case("the same over TLS to the origin")
def _():
    flooded(TLS, tls)


@case("a stranger goes before a stranger who has had much")
def _():
    learn(PLAIN)
    with flood_of_strangers(PLAIN, plain, 120, source="127.0.3.3") as flood:
        wait_until(lambda: flood.statuses.get(502, 0) > 50 and flood.statuses.get(200, 0) > 50, "refusals", seen=lambda: flood.statuses)
        answers = visit(PLAIN, "127.0.4.4", times=20, pause=0.02)
    assert [s for s, _ in answers] == [200] * 20, answers


@case("a flood leaves no lines in the error log")
def _():
    bad = [l for l in gate.errors().splitlines() if any(f"[{level}]" in l for level in ("alert", "emerg", "crit", "error"))]
    assert not bad, bad[:3]


@case("who is refused gets the last good copy where there is one")
def _():
    assert curl(f"http://127.0.0.1:{PLAIN}/copy").body == b"made for /copy"
    time.sleep(1.2)
    with Flood(PLAIN, 150) as flood:
        wait_until(lambda: flood.statuses.get(502, 0) > 50, "refusals", seen=lambda: flood.statuses)
        # by one who never was answered in quiet, as the other may have been: such a one is not refused
        reply = wait_until(lambda: (r := curl(f"http://127.0.0.1:{PLAIN}/copy", "--interface", "127.0.6.6")).headers.get("x-copy") == "STALE"
                           and r, "a copy")
        assert reply.status == 200 and reply.body == b"made for /copy", reply


@case("clients that leave while they wait leave no place taken")
def _():
    async def leave():
        writers = []
        for n in range(120):
            _, writer = await asyncio.open_connection("127.0.0.1", PLAIN)
            writer.write(f"GET /left?n={n} HTTP/1.1\r\nHost: site\r\n\r\n".encode())
            writers.append(writer)
        await asyncio.sleep(0.1)
        for writer in writers:
            writer.transport.abort()
    asyncio.run(leave())
    wait_until(lambda: plain.inside == 0, "a quiet origin")
    assert [s for s, _ in visit(PLAIN, "127.0.9.9", times=10)] == [200] * 10
    with Flood(PLAIN, 3) as flood:
        wait_until(lambda: flood.statuses.get(200, 0) > 20, "answers", seen=lambda: flood.statuses)
    assert set(flood.statuses) == {200}, flood.statuses


@case("nor do they where the answer would be for a cache: the origin is not asked for those who left before")
def _():
    def asked():
        return len([p for p in plain.paths if p.startswith("/gone")])

    async def come(session):
        connections = []
        for n in range(60):
            reader, writer = await asyncio.open_connection("127.0.0.1", BYPASS)
            writer.write(f"GET /gone{n}?session={session} HTTP/1.1\r\nHost: site\r\n\r\n".encode())
            connections.append(writer)
        while asked() < SLOTS:
            await asyncio.sleep(0.005)
        for writer in connections:
            writer.transport.abort()
    for session in ("1", ""):
        plain.paths.clear()
        release = plain.call(hold(plain))  # nobody who waits gets his turn before the gate knows who has left
        asyncio.run(asyncio.wait_for(come(session), 60))
        for _ in range(2):  # who is answered came after all of them
            assert curl(f"http://127.0.0.1:{BYPASS}/nothing").status == 200
        wait_until(plain.has_read_all, "what the gate has asked")
        before = asked()
        plain.call(release())
        wait_until(lambda: plain.inside == 0, "a quiet origin")
        time.sleep(1)
        assert before < 50 and asked() <= before + SLOTS, (session, before, asked())
        wait_until(lambda: plain.inside == 0, "a quiet origin")
    assert [s for s, _ in visit(BYPASS, "127.0.9.8", times=10)] == [200] * 10
    assert [s for s, _ in visit(BYPASS, "127.0.9.8", path="/gone1", times=2)] == [200] * 2


MOST_INSIDE = 60  # as in a flood of clients who wait for their answers


class Until:
    """An attack goes on so long, and then until the origin has been asked at all. Where a client left before a slow
    machine came to read what it asked, nobody is asked: the longer it takes, the longer they stay."""

    def __init__(self, origin, seconds=3, most_seconds=60):
        self.origin, self.seconds, self.most_seconds = origin, seconds, most_seconds
        self.began, self.before = time.monotonic(), len(origin.paths)

    def goes_on(self):
        took = time.monotonic() - self.began
        return took < self.seconds or (len(self.origin.paths) - self.before <= SLOTS and took < self.most_seconds)

    def stay(self):
        """-> seconds from asking to leaving"""
        return max(0.004, (time.monotonic() - self.began - self.seconds) / 20)


async def reset_by_closing(port, attack):
    """So many at once who close what they have just asked, and come again."""
    async def client(n):
        while attack.goes_on():
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(f"127.8.0.{1 + n % 250}", 0))
                writer.write(f"GET /reset?n={n} HTTP/1.1\r\nHost: site\r\n\r\n".encode())
                await asyncio.sleep(attack.stay())
                writer.transport.abort()
            except OSError:
                pass
    await asyncio.gather(*(client(n) for n in range(40)))


def reset_streams(attack):
    """HTTP/2: each connection resets the streams that it has just opened."""
    def client():
        while attack.goes_on():
            c = http2.Connection(STREAMS)
            for _ in range(100):
                streams = [c.open("/reset") for _ in range(5)]
                time.sleep(attack.stay())
                c.send(b"".join(http2.frame(http2.RST_STREAM, 0, s, b"\0\0\0\x08") for s in streams))
                if c.closed or not attack.goes_on():
                    break
            c.close()
    clients = [threading.Thread(target=client) for _ in range(8)]
    for each in clients:
        each.start()
    for each in clients:
        each.join()


def stays_within(port, origin, attack):
    learn(port, "/reset")
    wait_until(lambda: origin.inside == 0, "a quiet origin")
    origin.most_inside = 0
    before = len(origin.paths)
    attack(Until(origin))
    asked = len(origin.paths) - before
    assert asked > SLOTS and origin.most_inside <= MOST_INSIDE, (asked, origin.most_inside)
    wait_until(lambda: origin.inside == 0, "a quiet origin")


@case("clients that reset what they have just asked have the origin asked for no more than others do")
def _():
    stays_within(PLAIN, plain, lambda attack: asyncio.run(reset_by_closing(PLAIN, attack)))
    stays_within(KEPT, plain, lambda attack: asyncio.run(reset_by_closing(KEPT, attack)))
    stays_within(PLAIN, plain, reset_streams)
    stays_within(TLS, tls, lambda attack: asyncio.run(reset_by_closing(TLS, attack)))
    assert [s for s, _ in visit(PLAIN, "127.0.9.9", times=10)] == [200] * 10
    assert [s for s, _ in visit(TLS, "127.0.9.9", times=10)] == [200] * 10
    bad = [l for l in gate.errors().splitlines() if any(f"[{level}]" in l for level in ("alert", "emerg", "crit", "error"))]
    assert not bad, bad[:3]


@case("they pay for the origin's whole time, by limits too")
def _():
    source = "127.0.8.8"  # a second of it may be had at once

    async def leave():
        writers, answers = [], []
        for n in range(SLOTS):
            reader, writer = await asyncio.open_connection("127.0.0.1", LIMITED, local_addr=(source, 0))
            writer.write(f"GET /paid?n={n} HTTP/1.1\r\nHost: site\r\n\r\n".encode())
            writers.append(writer)
            answers.append(asyncio.ensure_future(reader.read(1)))
        # On a slow machine the first may have its answer, and the last a refusal for it, before all are asked.
        while len([p for p in plain.paths if p.startswith("/paid")]) < SLOTS and not any(a.done() for a in answers):
            await asyncio.sleep(0.004)
        for writer in writers:
            writer.transport.abort()

    async def refused():
        await asyncio.sleep(0.1)  # looking costs a thousandth of a second
        return (await ask(LIMITED, source, "/owes"))[0] == 429
    for _ in range(10):
        if asyncio.run(refused()):
            break
        plain.paths.clear()
        asyncio.run(asyncio.wait_for(leave(), 60))
        wait_until(lambda: plain.inside == 0, "a quiet origin")
    wait_until(lambda: asyncio.run(refused()), "a refusal")


@case("an origin that never answers has their slots until its time is over")
def _():
    release = tls.call(hold(tls))
    asyncio.run(reset_by_closing(SECURE, Until(tls, 1)))
    held = tls.inside
    assert SLOTS <= held <= MOST_INSIDE, held
    assert visit(SECURE, "127.0.9.7")[0][0] in (502, 504)
    tls.call(release())
    wait_until(lambda: tls.inside == 0, "a quiet origin")
    wait_until(lambda: visit(SECURE, "127.0.9.7")[0][0] == 200, "slots again")


@case("a worker that is killed leaves no slot taken")
def _():
    gate.reload()  # so that the next worker finds another's place free before that of the killed one
    wait_until(lambda: len(gate.worker_pids()) == 1, "the old worker's end")
    with Flood(PLAIN, 100) as flood:
        wait_until(lambda: flood.statuses.get(502, 0) > 20, "refusals", seen=lambda: flood.statuses)
        gate.kill_workers()
    wait_until(lambda: plain.inside == 0, "a quiet origin")
    with Flood(PLAIN, 3) as flood:
        wait_until(lambda: flood.statuses.get(200, 0) > 20, "answers", seen=lambda: flood.statuses)
    assert set(flood.statuses) == {200}, flood.statuses


@case("a reload in the midst of a flood costs a visitor nothing, and what was learned stays")
def _():
    begin_anew(PLAIN)
    assert [s for s, _ in visit(PLAIN, times=5)] == [200] * 5
    with flood_of_strangers(PLAIN, plain, 100) as flood:
        wait_until(lambda: flood.statuses.get(502, 0) > 20, "refusals", seen=lambda: flood.statuses)
        gate.reload()
        answers = visit(PLAIN, times=20, pause=0.02)
        assert [s for s, _ in answers] == [200] * 20, answers


@case("an origin that is down is an origin that is down")
def _():
    with Flood(DOWN, 60) as flood:
        wait_until(lambda: sum(flood.statuses.values()) > 200, "answers", seen=lambda: flood.statuses)
    assert set(flood.statuses) <= {502, 0}, flood.statuses
    assert curl(f"http://127.0.0.1:{PLAIN}/after").status == 200


@case("what a person wrote wrong is told")
def _():
    for directive, says in (("guia_admission 4k;", "no size of 1m"), ("guia_admission 4m; guia_admission 4m;", "is duplicate"),
                            ("guia_admission_wait soon;", "invalid value")):
        wrong = Gate(directive, start=False)
        accepted, text = wrong.check()
        assert not accepted and says in text, (directive, text)
        wrong.close()


main()
