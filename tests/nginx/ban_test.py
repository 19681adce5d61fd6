"""Bans: refused at accept, what is open is closed, what a trusted proxy names is refused by itself; an allowance bypasses
no inspection; files that do not do change nothing."""
import socket
import sys

import outbox
from harness import Gate, Origin, case, curl, free_port, main, wait_until
from publishing import Writer

RULES = 'SecRuleEngine On\nSecRule ARGS:q "@contains attack" "id:1,phase:1,deny,status:403,nolog"\n'
PORT = free_port()
origin = Origin()
gate = Gate("", start=False, files={"rules.conf": RULES})
bans = gate.folder / "bans"
bans.mkdir()
gate.configure(f"""
guia_events {gate.folder}/events; guia_bans {bans}; guia_trusted_proxies 127.0.5.0/24; guia_admission 1m;
set_real_ip_from 127.0.5.0/24; real_ip_header X-Forwarded-For; real_ip_recursive on;
guia on; guia_rules rules.conf; guia_site site;
server {{ listen 127.0.0.1:{PORT}; location / {{ proxy_pass http://127.0.0.1:{origin.port}; }} }}
""", main="worker_shutdown_timeout 5s;")
gate.start()
say = Writer(sys.argv.pop(2), bans).say


def status(source, *arguments, path="/echo"):
    return curl(f"http://127.0.0.1:{PORT}{path}", "--interface", source, *arguments).status


def comes(source, wanted, *arguments, **more):
    wait_until(lambda: status(source, *arguments, **more) == wanted, f"{wanted} for {source}")


def told():
    return outbox.Outbox(next((gate.folder / "events").glob("worker-*")))


def refusals():
    """Of requests: one that came in over a connection as its source was banned is refused by itself."""
    return [e for e in told().events() if e.kind == outbox.END and outbox.REASONS[e.reason] == "ban"]


def through(address, path="/echo"):
    return ("127.0.5.1", "-H", f"X-Forwarded-For: {address}")


@case("without a word of the watch nobody is refused")
def _():
    assert status("127.0.2.1") == 200


@case("a banned source is refused when it connects, by address and by prefix, and others are not")
def _():
    gate.looked()  # nobody shall have a connection open when he is banned: what is closed then need not have been silent
    say("refuse 127.0.2.1 7 600000")
    say("refuse 127.0.3.0/24 8 600000")
    say("base")
    gate.looked()
    comes("127.0.2.1", 0)
    assert status("127.0.3.9") == 0 and status("127.0.2.2") == 200 and status("127.0.4.1") == 200
    hits = told().hits()
    assert hits[7] >= 1 and hits[8] == 1, hits
    # What is being counted is read in the midst of it.
    accepted, closed, _, silent, banned, *_ = wait_until(
        lambda: (c := told().connections())[0] >= c[1] and c[3] >= c[4] == sum(told().hits().values()) - len(refusals()) and c, "the sums")
    assert banned + len(refusals()) == hits[7] + hits[8] and silent >= banned


@case("a delta adds and lifts, and an end is an end")
def _():
    say("lift 127.0.2.1")
    for lifetime_ms in (1000, 4000, 16000):  # where it was over before this machine came to ask, a longer one
        say(f"refuse 127.0.2.3 9 {lifetime_ms}", "delta")
        gate.looked()
        comes("127.0.2.3", 200)  # without any news
        if told().hits().get(9, 0) > 0:
            break
    assert told().hits().get(9, 0) > 0 and status("127.0.2.1") == 200
    assert status("127.0.3.9") == 0


@case("what a source has open when it is banned is closed")
def _():
    def connect(source):
        s = socket.create_connection(("127.0.0.1", PORT), timeout=300, source_address=(source, 0))
        s.sendall(b"GET /ec")
        return s
    accepted = told().connections()[0]
    theirs, others = connect("127.0.2.5"), connect("127.0.2.6")
    kept = socket.create_connection(("127.0.0.1", PORT), timeout=300, source_address=("127.0.2.5", 0))
    kept.sendall(b"GET /echo HTTP/1.1\r\nHost: a\r\n\r\n")
    assert kept.recv(100).startswith(b"HTTP/1.1 200")
    wait_until(lambda: told().connections()[0] == accepted + 3, "three connections")
    gate.looked()
    say("refuse 127.0.2.5 10 600000")
    say("delta")
    assert theirs.recv(100) == b""
    while kept.recv(4096):
        pass
    others.sendall(b"ho HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert others.recv(100).startswith(b"HTTP/1.1 200")


@case("a source that a trusted proxy names is refused by itself, and its proxy never")
def _():
    say("refuse 192.0.2.7 11 600000")
    say("refuse 127.0.5.0/24 12 600000")
    say("delta")
    comes(*through("192.0.2.7")[:1], 403, *through("192.0.2.7")[1:])
    source, *header = through("192.0.2.8")
    assert status(source, *header) == 200
    assert status(source) == 200  # the proxy itself
    source, *header = through("192.0.2.7, 192.0.2.8")
    assert status(source, *header) == 200  # right to left: the first that is no proxy of ours
    assert status("127.0.4.1", "-H", "X-Forwarded-For: 192.0.2.7") == 200  # who is no proxy cannot name another
    end = wait_until(lambda: [e for e in refusals() if e.rule == 11], "an event")
    assert all(outbox.VERDICTS[e.verdict] == "block" and e.status == 403 for e in end)
    assert not any(e.rule == 12 for e in refusals())


@case("events lay nothing on a proxy that names nobody")
def _():
    named, own = "127.0.5.9", "127.0.2.77"
    gate.looked()  # the end of whoever came before is told
    before = len(told().events())
    assert status(named) == 200 and status(named, "-H", "X-Forwarded-For: 192.0.2.50") == 200 and status(own) == 200
    wait_until(lambda: len(told().events()) >= before + 6, "the events")

    def v4(text):
        return bytes(10) + b"\xff\xff" + socket.inet_aton(text)
    sources = [e.source for e in told().events()[before:]]
    assert sorted(set(sources)) == sorted({bytes(16), v4("192.0.2.50"), v4(own)}), sources


@case("an allowance inside a banned prefix holds, and bypasses no inspection")
def _():
    say("allow 127.0.3.9 13 600000")
    say("delta")
    comes("127.0.3.9", 200)
    assert status("127.0.3.8") == 0
    assert status("127.0.3.9", path="/echo?q=attack") == 403


@case("files that do not do change nothing, and are told")
def _():
    good = (bans / "delta").read_bytes()
    word = (bans / "generation").read_bytes()
    generation = int.from_bytes(word, "little")
    for number, bad in enumerate((b"", good[:100], good[:-1], b"x" * len(good), good[:200] + b"\0" + good[201:], good + b"\0")):
        new = bans / "new"
        new.write_bytes(bad)
        new.rename(bans / "delta")
        (bans / "generation").write_bytes((generation + 1000 + number).to_bytes(8, "little"))
        gate.looked()
        assert status("127.0.3.8") == 0 and status("127.0.3.9") == 200, number
    assert gate.logged("is not taken")
    (bans / "generation").write_bytes(b"\1")
    gate.looked()
    assert status("127.0.3.8") == 0
    assert len(gate.worker_pids()) == 1 and "signal" not in gate.errors()


@case("a new worker has the bans of before, and so has one after a reload")
def _():
    (bans / "generation").write_bytes((1 << 40).to_bytes(8, "little"))
    say("base")
    comes("127.0.3.8", 0)
    gate.reload()
    comes("127.0.3.8", 0)
    assert status("127.0.3.9") == 200


@case("what a person wrote wrong is told")
def _():
    for directive, says in (("guia_trusted_proxies here;", "no address"), ('guia_bans "";', "needs a folder"),
                            ("guia_bans a; guia_bans b;", "is duplicate")):
        wrong = Gate(directive, start=False)
        accepted, text = wrong.check()
        assert not accepted and says in text, (directive, text)
        wrong.close()


main()
