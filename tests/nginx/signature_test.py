"""Signatures: a request that matches is refused at arrival, counted and told; who is allowed is not; what is published
badly, or by a writer that is killed, changes nothing."""
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import outbox
from harness import Gate, Origin, case, curl, free_port, main, raw, wait_until
from publishing import Writer

RULES = 'SecRuleEngine On\nSecRequestBodyAccess On\nSecRule ARGS:q "@contains attack" "id:1,phase:1,deny,status:406,nolog"\n'
PORT, TLS, OTHER, NARROW = free_port(), free_port(), free_port(), free_port()
BAN_WRITER, WRITER = sys.argv.pop(3), sys.argv.pop(2)
ACCEPT, COOKIE = 1, 10  # wire/fingerprint.h


released = threading.Event()


def slow(handler):
    released.wait(300)
    handler.send(200, b"slow")


origin = Origin({"/slow": slow})
gate = Gate("", start=False, workers=2, files={"rules.conf": RULES})
bans, events = gate.folder / "bans", gate.folder / "events"
bans.mkdir()
subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                gate.folder / "key.pem", "-out", gate.folder / "cert.pem", "-days", "2", "-subj", "/CN=localhost"],
               check=True, capture_output=True)
SITE = f"location / {{ proxy_pass http://127.0.0.1:{origin.port}; }}"
gate.configure(f"""
guia_events {events}; guia_bans {bans}; guia_trusted_proxies 127.0.5.0/24; guia_admission 1m; guia_admission_wait 280s; proxy_read_timeout 300s;
set_real_ip_from 127.0.5.0/24; real_ip_header X-Forwarded-For; real_ip_recursive on;
guia on; guia_rules rules.conf; gzip on; gzip_min_length 1;
server {{ guia_site www; listen 127.0.0.1:{PORT}; listen 127.0.0.1:{TLS} ssl http2; listen 127.0.0.1:{NARROW} sndbuf=4k;
    ssl_certificate {gate.folder}/cert.pem; ssl_certificate_key {gate.folder}/key.pem; {SITE} }}
server {{ guia_site other; listen 127.0.0.1:{OTHER}; error_page 403 =200 /echo; {SITE} }}
""", main="worker_shutdown_timeout 5s;")
broken = gate.folder / "broken"
gate.start(["env", f"LD_PRELOAD={sys.argv[2]}", f"GUIA_BROKEN_READ={broken}"])


writer, ban_writer = Writer(WRITER, bans, events, key=events / "key"), Writer(BAN_WRITER, bans)


def publish(*lines):
    writer.say(*lines, "publish")


def ask(agent="Bot/1.0", source="127.0.0.1", port=PORT, path="/echo", arguments=(), **more):
    scheme = "https" if port == TLS else "http"
    return curl(f"{scheme}://127.0.0.1:{port}{path}", "-k", "--interface", source, "-A", agent, *arguments, patience=300,
                **more)


def comes(wanted, **more):
    wait_until(lambda: ask(**more).status == wanted, f"{wanted} for {more}")


def outboxes():
    return outbox.read_all(events)


def counters():
    return outbox.read_all(events, rings=False)


def hits(mitigation):
    return sum(box.hits().get(mitigation, 0) for box in counters())


def ends(reason="signature"):
    return [e for box in outboxes() for e in box.events() if e.kind == outbox.END and outbox.REASONS[e.reason] == reason]


@case("without a signature everybody is served")
def _():
    assert ask().status == 200 and ask(agent="Mozilla/5.0").status == 200


@case("what matches is refused on its site, with a page for people, and nothing else is")
def _():
    publish("rule 7 www 600000 agent=Bot/1.0")
    comes(403)
    gate.looked()
    asked = len(origin.seen)
    reply = ask()
    assert reply.status == 403 and "text/html; charset=utf-8" == reply.headers["content-type"], reply
    assert "lang=\"pt\"" in reply.body.decode() and reply.headers["cache-control"] == "no-store", reply
    assert "content-encoding" not in ask(arguments=("-H", "Accept-Encoding: gzip")).headers
    assert len(origin.seen) == asked
    assert ask(port=OTHER).status == 200 and ask(agent="Mozilla/5.0").status == 200


@case("of HTTP/2 and TLS too, and HEAD gets no body", both=True)
def _(http2):
    flags = ("--http2",) if http2 else ("--http1.1",)
    reply = ask(port=TLS, arguments=flags)
    assert reply.status == 403 and len(reply.body) > 100
    assert ask(port=TLS, agent="Mozilla/5.0", arguments=flags).status == 200
    head = ask(port=TLS, arguments=(*flags, "-I"))
    assert head.status == 403 and int(head.headers["content-length"]) > 100 and b"<html" not in head.body


@case("each refusal is counted once by its mitigation, and told")
def _():
    wait_until(lambda: len(ends()) == hits(7), "the events before")
    before, told = hits(7), len(ends())
    for _ in range(20):
        assert ask().status == 403
    wait_until(lambda: len(ends()) >= told + 20, "the events")
    assert hits(7) == before + 20, (before, hits(7))
    end = ends()[-1]
    assert outbox.VERDICTS[end.verdict] == "block" and end.rule == 7 and end.status == 403 and end.origin_us == 0
    wait_until(lambda: outbox.site_sum(counters(), "www")["ended"]["block", "signature"] == hits(7), "their count")  # after the event


@case("nothing inspects it, and no audit record or body is waited for")
def _():
    assert ask(path="/echo?q=attack").status == 403
    assert ask(agent="Mozilla/5.0", path="/echo?q=attack").status == 406
    with socket.create_connection(("127.0.0.1", PORT), timeout=300) as s:
        s.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nUser-Agent: Bot/1.0\r\nContent-Length: 100000\r\n\r\nabc")
        assert s.recv(4096).startswith(b"HTTP/1.1 403")


@case("a connection is kept, with a body and without")
def _():
    one = b"GET /echo HTTP/1.1\r\nHost: a\r\nUser-Agent: Bot/1.0\r\n\r\n"
    post = b"POST /echo HTTP/1.1\r\nHost: a\r\nUser-Agent: Bot/1.0\r\nContent-Length: 5\r\n\r\nabcde"
    chunked = b"POST /echo HTTP/1.1\r\nHost: a\r\nUser-Agent: Bot/1.0\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    last = b"GET /echo HTTP/1.1\r\nHost: a\r\nUser-Agent: Mozilla/5.0\r\nConnection: close\r\n\r\n"
    answer = raw(PORT, one + post + chunked + one + last)
    assert answer.count(b"HTTP/1.1 403") == 4 and answer.count(b"HTTP/1.1 200") == 1, answer


@case("the answer that is kept is the one that nginx makes where it cannot be used")
def _():
    def head_of(answer):
        head = answer.split(b"\r\n\r\n")[0].split(b"\r\n")
        return [line for line in head if not line.startswith(b"Date: ")], len(head)
    ask_it = b"%s /echo HTTP/1.%d\r\nHost: a\r\nUser-Agent: Bot/1.0\r\nConnection: close\r\n\r\n"
    kept, made, bare = (raw(PORT, ask_it % words) for words in ((b"GET", 1), (b"GET", 0), (b"HEAD", 1)))
    assert head_of(kept) == head_of(made) == head_of(bare) and head_of(kept)[0][0] == b"HTTP/1.1 403 Forbidden", kept
    assert kept.split(b"\r\n\r\n", 1)[1] == made.split(b"\r\n\r\n", 1)[1] and bare.endswith(b"\r\n\r\n")
    assert b"GMT\r\n" in kept


@case("answers come whole to who reads them late")
def _():
    count, one = 200, b"GET /echo HTTP/1.1\r\nHost: a\r\nUser-Agent: Bot/1.0\r\n"
    page = raw(PORT, one + b"Connection: close\r\n\r\n").split(b"\r\n\r\n", 1)[1]
    before = hits(7)
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.settimeout(60)
        s.connect(("127.0.0.1", NARROW))
        s.sendall((one + b"\r\n") * (count - 1) + one + b"Connection: close\r\n\r\n")
        gate.looked()
        assert hits(7) - before < count, "nothing had to wait"
        answer = b""
        while piece := s.recv(65536):
            answer += piece
    heads = answer.split(page)
    assert len(heads) == count + 1 and heads.pop() == b"", len(heads)
    assert all(head.startswith(b"HTTP/1.1 403 ") and head.endswith(b"\r\n\r\n") for head in heads), heads
    assert hits(7) == before + count


@case("who is allowed is served, whoever wrote X-Forwarded-For")
def _():
    ban_writer.say("allow 127.0.2.1 20 600000")
    ban_writer.say("allow 192.0.2.7 21 600000")
    ban_writer.say("base")
    comes(200, source="127.0.2.1")
    named = ("-H", "X-Forwarded-For: 192.0.2.7")
    comes(200, source="127.0.5.1", arguments=named)
    assert ask(source="127.0.2.2", arguments=named).status == 403  # who is no proxy of ours names nobody
    assert ask(source="127.0.5.1", arguments=("-H", "X-Forwarded-For: 192.0.2.7, 192.0.2.8")).status == 403
    assert ask(source="127.0.2.1", path="/echo?q=attack").status == 406


@case("a person's ban goes before an allow list, and that before a signature; a refusal has one reason")
def _():
    ban_writer.say("refuse 192.0.2.9 22 600000")
    ban_writer.say("delta")
    named = ("-H", "X-Forwarded-For: 192.0.2.9")
    comes(403, source="127.0.5.1", agent="Mozilla/5.0", arguments=named)
    gate.looked()
    before = hits(7), hits(22)
    assert ask(source="127.0.5.1", arguments=named).status == 403
    assert (hits(7), hits(22)) == (before[0], before[1] + 1)


@case("terms are of prefixes, headers, paths, lengths, and of what nobody knows")
def _():
    publish("drop 7", "rule 8 - 600000 from=127.0.3.0/24 path=/echo", f"rule 9 other 600000 lacks={ACCEPT} has={COOKIE}",
            "rule 10 www 600000 strange-agent=Mozilla/5.0 method=3 length=5")
    comes(403, source="127.0.3.9")
    gate.looked()
    assert ask(source="127.0.3.9", path="/other").status == 404 and ask(source="127.0.4.9").status == 200
    assert ask(source="127.0.3.9", port=OTHER).status == 403
    cookie = ("-H", "Cookie: a=b")
    assert ask(port=OTHER, arguments=(*cookie, "-H", "Accept:")).status == 403
    assert ask(port=OTHER, arguments=cookie).status == 200 and ask(arguments=(*cookie, "-H", "Accept:")).status == 200
    assert ask(arguments=("-d", "abcde")).status == 403
    assert ask(agent="Mozilla/5.0", arguments=("-d", "abcde")).status == 200
    assert ask(arguments=("-d", "abcdefghijklmnopq")).status == 200 and ask().status == 200


@case("a pace is of a source, in whichever worker it comes")
def _():
    publish("drop 8", "drop 9", "drop 10", "rule 11 www 600000 pace=400")
    gate.looked()

    clients = [http.client.HTTPConnection("127.0.0.1", PORT, source_address=("127.0.6.1", 0)) for _ in range(8)]

    def statuses(gap, count):
        """Of requests sent so long one after the other, as far as this machine allows, on one connection after the other."""
        out = []
        for client in clients[:count]:
            if client.sock is None:
                client.connect()
            due = time.monotonic() + gap if not out else sent + gap
            time.sleep(max(0, due - time.monotonic()))
            sent = time.monotonic()
            client.request("GET", "/echo")
            reply = client.getresponse()
            reply.read()
            out.append(reply.status)
        return out
    assert 403 not in statuses(0, 8)
    assert ask(source="127.0.6.2").status == 200
    wait_until(lambda: 403 in statuses(0.41, 3), "a refusal by pace")
    for client in clients:
        client.close()
    publish("drop 11")
    gate.looked()


class Slow:
    """Who asks for /slow, of which the origin answers nothing until the end. Of those who wait there are fewer than find a place
    in the queue of one worker, however few slots there are: all may come to the same."""
    SOME, MANY = 4, 8

    def __init__(self):
        released.clear()
        self.threads, self.replies, self.before = [], [], (self.arrived(), self.asked())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.release()

    @staticmethod
    def arrived():
        return outbox.site_sum(counters(), "www")["arrived"]

    @staticmethod
    def asked():
        return sum(path == "/slow" for _, path, _ in origin.seen)

    @staticmethod
    def waiting():
        return sum(box.waiting() for box in counters())

    def begun(self):
        """By the origin."""
        return self.asked() - self.before[1]

    def come(self, count, **who):
        """So many more; all of them have a slot or wait when this returns."""
        def one():
            self.replies.append((who["agent"], ask(path="/slow", **who).status))
        more = [threading.Thread(target=one) for _ in range(count)]
        self.threads += more
        for thread in more:
            thread.start()
        wait_until(lambda: self.arrived() == self.before[0] + len(self.threads), "all of them")
        gate.looked()

    def fill(self, **who):
        while self.waiting() < self.SOME:
            self.come(self.MANY, **who)

    def release(self):
        released.set()
        for thread in self.threads:
            thread.join()


@case("requests that wait for the origin and match what was published since are cancelled, and no others")
def _():
    with Slow() as slow_ones:
        slow_ones.come(3, agent="Bot/1.0")
        wait_until(lambda: slow_ones.begun() == 3, "some that have slots of the origin")
        slow_ones.fill(agent="Mozilla/5.0")
        slow_ones.come(10, agent="Bot/1.0")
        before = hits(14)
        publish("rule 14 - 600000 agent=Bot/1.0")
        wait_until(lambda: hits(14) > before, "a hit")
        gate.looked()
        wait_until(lambda: len(slow_ones.replies) == hits(14) - before, "the answers to those that are cancelled")
        assert slow_ones.replies == [("Bot/1.0", 502)] * 10, slow_ones.replies
        slow_ones.release()
        others = slow_ones.replies[10:]
        assert len(others) == len(slow_ones.threads) - 10 and all(status == 200 for _, status in others), slow_ones.replies
        assert hits(14) == before + 10 and slow_ones.begun() == len(others), (hits(14), before, slow_ones.begun())
    end = [e for e in ends() if e.status == 502]
    assert len(end) == 10 and all(e.rule == 14 and e.origin_us == 0 for e in end), end
    publish("drop 14")
    gate.looked()


@case("requests of a trusted proxy that wait for the origin are not cancelled by a ban of its address")
def _():
    with Slow() as slow_ones:
        slow_ones.fill(agent="Mozilla/5.0", source="127.0.5.1")
        ban_writer.say("refuse 127.0.5.0/24 23 600000")
        ban_writer.say("refuse 127.0.2.40 24 600000")
        ban_writer.say("delta")
        comes(0, agent="Mozilla/5.0", source="127.0.2.40")
        gate.looked()
        assert not slow_ones.replies, slow_ones.replies
        assert slow_ones.waiting() >= Slow.SOME, "some have to wait"
        slow_ones.release()
        assert {status for _, status in slow_ones.replies} == {200}, slow_ones.replies
    ban_writer.say("lift 127.0.5.0/24")
    ban_writer.say("delta")
    gate.looked()


@case("an end is an end, without any news")
def _():
    for lifetime_ms in (1000, 4000, 16000):  # where it was over before this machine came to ask, a longer one
        publish(f"rule 12 - {lifetime_ms} agent=Bot/1.0")
        gate.looked()
        comes(200)
        if hits(12) > 0:
            break
    assert hits(12) > 0 and ask().status == 200


@case("what could not be read for the moment is read later, without any news")
def _():
    broken.write_text("files")
    publish("rule 15 - 600000 agent=Bot/1.0")
    gate.looked()
    assert ask().status == 200 and gate.logged("Too many open files")
    broken.unlink()
    comes(403)
    publish("drop 15")
    comes(200)


@case("files that do not do change nothing, and are told")
def _():
    publish("rule 13 - 600000 agent=Bot/1.0")
    comes(403)
    gate.looked()
    good, word = (bans / "signatures").read_bytes(), bans / "signatures-generation"
    generation = int.from_bytes(word.read_bytes(), "little")
    other = good[:8] + b"\x09" + good[9:]
    for number, bad in enumerate((b"", good[:100], good[:-1], b"x" * len(good), good[:200] + b"\0\1" + good[202:],
                                  good + b"\0", other)):
        (bans / "new").write_bytes(bad)
        (bans / "new").rename(bans / "signatures")
        word.write_bytes((generation + 1000 + number).to_bytes(8, "little"))
        gate.looked()
        statuses = ask().status, ask(agent="Mozilla/5.0").status
        assert statuses == (403, 200), (number, statuses)
    assert gate.logged("signatures\" is not taken")
    (bans / "signatures").unlink()
    word.write_bytes(b"\1")
    gate.looked()
    assert ask().status == 403
    assert len(gate.worker_pids()) == 2 and "signal" not in gate.errors()


@case("a writer that is killed at any moment leaves the old or the new")
def _():
    global writer
    word = bans / "signatures-generation"
    word.write_bytes((1 << 40).to_bytes(8, "little"))
    publish("rule 13 - 600000 agent=Bot/1.0")
    stop = threading.Event()
    wrong = []

    def watch():
        while not stop.is_set():
            if ask().status != 403 or ask(agent="Mozilla/5.0").status != 200:
                wrong.append(1)
    comes(403)
    gate.looked()
    thread = threading.Thread(target=watch)
    thread.start()
    for number in range(15):
        for _ in range(20):
            writer.process.stdin.write("publish\n")
        time.sleep(0.002 * number)
        os.kill(writer.process.pid, signal.SIGKILL)
        writer.process.wait()
        writer = Writer(WRITER, bans, events, key=events / "key")
        writer.say("rule 13 - 600000 agent=Bot/1.0")
    stop.set()
    thread.join()
    assert not wrong
    publish()


@case("a new worker has them, and so has one after a reload")
def _():
    comes(403)
    gate.reload()
    comes(403)
    gate.looked()
    assert all(ask().status == 403 for _ in range(8)) and ask(agent="Mozilla/5.0").status == 200
    publish("drop 13")
    comes(200)
    gate.looked()
    assert all(ask().status == 200 for _ in range(8))


main()
