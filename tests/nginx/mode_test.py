"""Modes of sites: local lets none but home networks and who is allowed ask the origin, guarded keeps strangers to older copies
and to little of its time; others get the last good copy, marked with its date."""
import email.utils
import sys
import threading
import time

import outbox
from harness import Gate, Origin, case, curl, free_port, main, wait_until
from publishing import Writer

PORT, OTHER = free_port(), free_port()
BAN_WRITER, WRITER = sys.argv.pop(3), sys.argv.pop(2)
made = [0]


def page(handler):
    made[0] += 1
    handler.send(200, b"page %d" % made[0])


def costly(handler):
    time.sleep(0.4)
    handler.send(200, b"costly")


origin = Origin({"/page": page, "/costly": costly})
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


def publish(*lines):
    writer.say(*lines, "publish")
    gate.looked()


def ask(source="127.0.1.1", path="/page", *arguments, port=PORT):
    return curl(f"http://127.0.0.1:{port}{path}", "--interface", source, *arguments)


def box():
    return outbox.Outbox(next(events.glob("worker-*")))


@case("open, or without a word, everybody reaches the origin")
def _():
    assert ask().body == b"page 1"
    publish("mode 1 www open 600000")
    time.sleep(2.1)
    assert ask().body == b"page 2"


@case("local: home networks and who is allowed reach the origin, others get the last good copy with its date")
def _():
    publish("drop 1", "mode 2 www local 600000 127.0.1.0/24 192.0.2.0/24")
    time.sleep(2.1)
    before, hits = made[0], box().hits().get(2, 0)
    reply = ask("127.0.2.1")
    assert reply.status == 200 and reply.body == b"page 2" and made[0] == before, reply
    age = time.time() - email.utils.parsedate_to_datetime(reply.headers["x-guia-copy"]).timestamp()
    assert 0 <= age < 60, reply
    with_session = ask("127.0.2.1", "/page", "-H", "Cookie: a=b")
    assert with_session.body == b"page 2" and "x-guia-copy" in with_session.headers, with_session
    assert ask("127.0.2.1", "/never").status == 502 and ask("127.0.2.1", "/echo", "-d", "a=b").status == 502
    assert box().hits()[2] == hits + 4
    reply = ask("127.0.1.9")
    assert reply.body == b"page 3" and "x-guia-copy" not in reply.headers, reply
    assert ask("127.0.5.1", "/page", "-H", "X-Forwarded-For: 192.0.2.9", "-H", "Cookie: a=b").body == b"page 4"
    ban_writer.say("allow 127.0.2.7 5 600000", "base")
    gate.looked()
    assert ask("127.0.2.7", "/page", "-H", "Cookie: a=b").body == b"page 5"
    assert ask("127.0.2.1", port=OTHER, path="/echo").status == 200


@case("who is kept out is told so, and has a reason of its own")
def _():
    ends = [e for e in box().events() if e.kind == outbox.END and outbox.REASONS[e.reason] == "mode"]
    assert ends and all(e.rule == 2 and not e.flags & outbox.ORIGIN for e in ends), ends
    assert {e.status for e in ends} == {200, 502} and any(e.flags & outbox.COPY for e in ends)
    assert any(l.startswith("200 127.0.2.1 mode") for l in gate.log_lines("mode.log"))


@case("an end is an end, and so is a mode of all sites where a site has none of its own")
def _():
    publish("mode 2 www local 600 127.0.1.0/24")
    wait_until(lambda: ask("127.0.2.1", "/page", "-H", "Cookie: a=b").status == 200 and
               "x-guia-copy" not in ask("127.0.2.1", "/page", "-H", "Cookie: a=b").headers, "the end")
    publish("drop 2", "mode 3 - local 600000 127.0.1.0/24", "mode 4 other open 600000")
    assert ask("127.0.2.1", "/echo").status == 502 and ask("127.0.2.1", "/echo", port=OTHER).status == 200


@case("guarded: strangers get an older copy where there is one, and the origin where there is none")
def _():
    publish("drop 3", "drop 4", "mode 6 www guarded 600000")
    time.sleep(2.1)
    before = made[0]
    reply = ask("127.0.8.1")
    assert reply.status == 200 and made[0] == before and "x-guia-copy" in reply.headers, reply
    assert ask("127.0.8.1", "/page", "-H", "Cookie: a=b").body == b"page %d" % (before + 1)
    assert ask("127.0.8.1", "/echo").status == 200


@case("guarded: a stranger who has had much of the origin's time gets no more of it for a while, and others do")
def _():
    statuses = []

    def costs(number):
        statuses.append(ask("127.0.9.1", f"/costly?{number}", "-H", "Cookie: a=b").status)
    threads = [threading.Thread(target=costs, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 6, statuses
    wait_until(lambda: ask("127.0.9.1", "/costly", "-H", "Cookie: a=b").status == 502, "what it may not have")
    assert ask("127.0.9.2", "/costly", "-H", "Cookie: a=b").status == 200


main()
