"""Sources that a proxy names by the PROXY protocol, both versions: they are told, banned, allowed and matched as those who
come by themselves; what is broken, cut or reset costs nobody else anything."""
import random
import socket
import struct
import sys
import time

import outbox
from harness import Gate, Origin, case, free_port, main, raw, wait_until
from publishing import Writer

PORT = free_port()
BAN_WRITER, WRITER = sys.argv.pop(3), sys.argv.pop(2)
FROM_HEADER = 8  # wire/event.h

origin = Origin()
gate = Gate("", start=False, workers=2)
bans, events = gate.folder / "bans", gate.folder / "events"
bans.mkdir()
gate.configure(f"""
guia_events {events}; guia_bans {bans}; guia_trusted_proxies 127.0.0.0/8;
set_real_ip_from 127.0.0.0/8; real_ip_header proxy_protocol;
server {{ guia_site www; listen 127.0.0.1:{PORT} proxy_protocol; location / {{ proxy_pass http://127.0.0.1:{origin.port}; }} }}
""")
gate.start()
writer, ban_writer = Writer(WRITER, bans, events, key=events / "key"), Writer(BAN_WRITER, bans)


def first(source):
    six = ":" in source
    return f"PROXY TCP{6 if six else 4} {source} {'2001:db8::1' if six else '192.0.2.1'} 1234 80\r\n".encode()


def second(source, command=1):
    """Of no source: the proxy's own, to see whether we are there."""
    family, address = 0, b""
    if source:
        kind = socket.AF_INET6 if ":" in source else socket.AF_INET
        family = 0x21 if ":" in source else 0x11
        to = socket.inet_pton(kind, "2001:db8::1" if ":" in source else "192.0.2.1")
        address = socket.inet_pton(kind, source) + to + struct.pack("!HH", 1234, 80)
    return b"\r\n\r\n\0\r\nQUIT\n" + bytes([0x20 | command, family]) + struct.pack("!H", len(address)) + address


NOBODY = (b"PROXY UNKNOWN\r\n", second("", command=0))


def request(agent="Mozilla/5.0"):
    return f"GET /echo HTTP/1.1\r\nHost: a\r\nUser-Agent: {agent}\r\nConnection: close\r\n\r\n".encode()


def status(named, agent="Mozilla/5.0"):
    return int(raw(PORT, named + request(agent))[9:12])


def both(source, agent="Mozilla/5.0"):
    return {status(named, agent) for named in (first(source), second(source))}


def outboxes():
    return [outbox.Outbox(path) for path in events.glob("worker-*")]


def ends():
    return [e for box in outboxes() for e in box.events() if e.kind == outbox.END]


@case("whom it names is told, and where it names nobody, nobody is")
def _():
    assert both("192.0.2.8") == both("2001:db8::8") == {200}
    assert [status(named) for named in NOBODY] == [200, 200]
    wait_until(lambda: len(ends()) == 6, "their ends")
    told = sorted((e.source, bool(e.flags & FROM_HEADER)) for e in ends())
    four, six = socket.inet_pton(socket.AF_INET6, "::ffff:192.0.2.8"), socket.inet_pton(socket.AF_INET6, "2001:db8::8")
    assert told == sorted([(four, True)] * 2 + [(six, True)] * 2 + [(bytes(16), False)] * 2), told


@case("a ban is of whom it names, also as an IPv4-mapped address, and never of the proxy")
def _():
    ban_writer.say("refuse 192.0.2.9 20 600000", "refuse 2001:db8:9::/48 21 600000", "refuse 127.0.0.1 22 600000",
                   "allow 192.0.2.7 23 600000", "base")
    gate.looked()
    assert both("192.0.2.9") == both("2001:db8:9::1") == both("::ffff:192.0.2.9") == {403}
    assert both("192.0.2.8") == both("2001:db8:8::1") == {200} and [status(named) for named in NOBODY] == [200, 200]


@case("so is a signature, who is allowed excepted")
def _():
    writer.say("rule 7 www 600000 agent=Bot/1.0", "publish")
    gate.looked()
    assert both("192.0.2.8", "Bot/1.0") == both("2001:db8:8::1", "Bot/1.0") == {403}
    assert both("192.0.2.7", "Bot/1.0") == {200}
    assert [status(named, "Bot/1.0") for named in NOBODY] == [403, 403]


@case("heads that are broken, cut and reset leave the workers as they were, and no connection")
def _():
    workers, dice = gate.worker_pids(), random.Random(20240710)
    for number in range(300):
        head = bytearray(dice.choice([first, second])(dice.choice(["192.0.2.8", "2001:db8::8"])) + request())
        for _ in range(dice.randint(1, 4)):
            head[dice.randrange(40)] = dice.randrange(256)
        cut = dice.randrange(len(head))
        try:
            with socket.create_connection(("127.0.0.1", PORT), timeout=300) as s:
                s.sendall(head[:cut])
                if number % 3:
                    time.sleep(0.001)
                    s.sendall(head[cut:])
                if number % 2:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass  # it was refused before all of it was there
    assert both("192.0.2.8") == {200} and gate.worker_pids() == workers and "signal" not in gate.errors()

    def open_now():
        sums = outbox.connections_sum(outboxes())
        return sums["accepted"] - sums["closed"]
    wait_until(lambda: open_now() == 0, "the last of them to be gone")


main()
