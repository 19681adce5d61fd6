"""Modes of sites: local lets none but home networks and who is allowed ask the origin, guarded keeps strangers to older copies
and to little of its time; others get the last good copy, marked with its date."""
import email.utils
import itertools
import sys
import threading
import time

import outbox
from harness import Gate, Origin, case, curl, free_port, main, wait_until
from publishing import Writer

PORT, OTHER = free_port(), free_port()
BAN_WRITER, WRITER = sys.argv.pop(3), sys.argv.pop(2)


arrived, go_on = [], threading.Event()  # of those who ask for /costly


def costly(handler):
    arrived.append(handler.path)
    go_on.wait(300)
    time.sleep(0.4)
    handler.send(200, b"costly")


class Page:
    """A page of one case alone: what the origin made of it, counted, is in no other case's copies."""

    def __init__(self):
        self.path, self.made = f"/page{len(origin.pages)}", 0
        origin.pages[self.path] = self.make

    def make(self, handler):
        self.made += 1
        handler.send(200, b"page %d" % self.made)


origin = Origin({"/costly": costly})
gate = Gate("", start=False, workers=1, files={"rules.conf": "SecRuleEngine On\n"})
bans, events = gate.folder / "bans", gate.folder / "events"
bans.mkdir()
SITE = f"""
location / {{ error_page 502 = @copy; proxy_pass http://127.0.0.1:{origin.port}; proxy_cache copies; proxy_cache_bypass $http_cookie;
    proxy_no_cache $http_cookie; proxy_cache_use_stale error; proxy_cache_valid 200 1s; }}
location @copy {{ proxy_pass http://127.0.0.1:{origin.port}; proxy_cache copies; proxy_cache_use_stale error; proxy_cache_valid 200 1s; }}"""
gate.configure(f"""
guia_events {events}; guia_bans {bans}; guia_trusted_proxies 127.0.5.0/24; guia_admission 1m;
set_real_ip_from 127.0.5.0/24; real_ip_header X-Forwarded-For; real_ip_recursive on;
guia on; guia_rules rules.conf;
log_format mode '$status $remote_addr $guia_admission'; access_log {gate.folder}/mode.log mode;
proxy_cache_path {gate.folder}/copies keys_zone=copies:1m; proxy_cache_key $server_port$uri;
server {{ guia_site www; listen 127.0.0.1:{PORT}; {SITE} }}
server {{ guia_site other; listen 127.0.0.1:{OTHER}; {SITE} }}
""")
gate.start()


writer, ban_writer = Writer(WRITER, bans, events, key=events / "key"), Writer(BAN_WRITER, bans)


numbers = itertools.count(1)
in_force = []


def publish(*modes):
    """These modes, "SITE MODE MS [PREFIX...]", and no others. -> their numbers, which no other case has"""
    dropped = [f"drop {number}" for number in in_force]
    in_force[:] = [next(numbers) for _ in modes]
    writer.say(*dropped, *(f"mode {number} {mode}" for number, mode in zip(in_force, modes)), "publish")
    gate.looked()
    return list(in_force)


def ask(source, path, *arguments, port=PORT):
    return curl(f"http://127.0.0.1:{port}{path}", "--interface", source, *arguments)


SESSION = ("-H", "Cookie: a=b")


def copied():
    """A page of which there is a copy, of a time when everybody reached the origin; it is not fresh any more."""
    page = Page()
    publish()
    assert ask("127.0.1.1", page.path).body == b"page 1"
    time.sleep(2.1)
    return page


def box():
    return outbox.Outbox(next(events.glob("worker-*")))


@case("open, or without a word, everybody reaches the origin")
def _():
    page = copied()
    assert ask("127.0.2.1", page.path).body == b"page 2"
    publish("www open 600000")
    time.sleep(2.1)
    assert ask("127.0.2.1", page.path).body == b"page 3"


@case("local: others than home networks get the last good copy with its date, or an error")
def _():
    page = copied()
    (mode,) = publish("www local 600000 127.0.1.0/24")
    hits = box().hits().get(mode, 0)
    reply = ask("127.0.2.1", page.path)
    assert reply.status == 200 and reply.body == b"page 1" and page.made == 1, reply
    age = time.time() - email.utils.parsedate_to_datetime(reply.headers["x-guia-copy"]).timestamp()
    assert 0 <= age < 60, reply
    with_session = ask("127.0.2.1", page.path, *SESSION)
    assert with_session.body == b"page 1" and "x-guia-copy" in with_session.headers, with_session
    assert ask("127.0.2.1", "/never").status == 502 and ask("127.0.2.1", "/echo", "-d", "a=b").status == 502
    assert box().hits()[mode] == hits + 4
    assert ask("127.0.2.1", "/echo", port=OTHER).status == 200


@case("local: home networks and who is allowed reach the origin")
def _():
    page = copied()
    publish("www local 600000 127.0.1.0/24 192.0.2.0/24")
    reply = ask("127.0.1.9", page.path)
    assert reply.body == b"page 2" and "x-guia-copy" not in reply.headers, reply
    assert ask("127.0.5.1", page.path, "-H", "X-Forwarded-For: 192.0.2.9", *SESSION).body == b"page 3"
    ban_writer.say("allow 127.0.2.7 5 600000", "base")
    gate.looked()
    assert ask("127.0.2.7", page.path, *SESSION).body == b"page 4"


@case("who is kept out is told so, and has a reason of its own")
def _():
    page = copied()
    (mode,) = publish("www local 600000 127.0.1.0/24")
    assert ask("127.0.2.9", page.path).status == 200 and ask("127.0.2.9", "/never").status == 502

    def ends():
        return [e for e in box().events()
                if e.kind == outbox.END and outbox.REASONS[e.reason] == "mode" and e.rule == mode]
    wait_until(lambda: len(ends()) == 2, "the events of both ends")
    assert all(not e.flags & outbox.ORIGIN for e in ends()), ends()
    assert {e.status for e in ends()} == {200, 502} and any(e.flags & outbox.COPY for e in ends())
    wait_until(lambda: any(l.startswith("200 127.0.2.9 mode") for l in gate.log_lines("mode.log")), "the log's line")


@case("an end is an end")
def _():
    page = copied()
    publish("www local 600 127.0.1.0/24")
    wait_until(lambda: "x-guia-copy" not in ask("127.0.2.1", page.path, *SESSION).headers, "the end")
    assert ask("127.0.2.1", page.path, *SESSION).body == b"page %d" % page.made


@case("a mode of all sites is of each that has none of its own")
def _():
    publish("- local 600000 127.0.1.0/24", "other open 600000")
    assert ask("127.0.2.1", "/echo").status == 502 and ask("127.0.2.1", "/echo", port=OTHER).status == 200


@case("guarded: strangers get an older copy where there is one, and the origin where there is none")
def _():
    page = copied()
    publish("www guarded 600000")
    reply = ask("127.0.8.1", page.path)
    assert reply.status == 200 and page.made == 1 and "x-guia-copy" in reply.headers, reply
    assert ask("127.0.8.1", page.path, *SESSION).body == b"page 2"
    assert ask("127.0.8.2", "/echo").status == 200  # what the first has had may be much by now, where the origin was slow


@case("guarded: a stranger who has had much of the origin's time gets no more of it for a while, and others do")
def _():
    publish("www guarded 600000")
    statuses = []

    def costs(number):
        statuses.append(ask("127.0.9.1", f"/costly?{number}", *SESSION).status)
    threads = [threading.Thread(target=costs, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(arrived) == 6, "all of them at the origin, before any has had much", seen=lambda: (arrived, statuses))
    go_on.set()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 6, statuses
    wait_until(lambda: ask("127.0.9.1", "/costly", *SESSION).status == 502, "what it may not have")
    assert ask("127.0.9.2", "/costly", *SESSION).status == 200


main()
