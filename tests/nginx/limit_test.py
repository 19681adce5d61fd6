"""Limits: what a source and the networks around it may have of the origin's time, charged by what it took; two workers share
them, a reload keeps them, an allowance bypasses them."""
import http.client
import sys
import time

import outbox
from harness import Gate, Origin, Skip, case, curl, free_port, main, wait_until
from publishing import Writer

RULES = 'SecRuleEngine On\nSecRule ARGS:q "@contains attack" "id:1,phase:1,deny,status:403,nolog"\n'
PORT = free_port()


def slow(handler):
    time.sleep(2)
    handler.send(200, b"slow")


origin = Origin({"/slow": slow})
gate = Gate("", start=False, workers=2, files={"rules.conf": RULES})
bans = gate.folder / "bans"
bans.mkdir()
gate.configure(f"""
guia_events {gate.folder}/events; guia_bans {bans}; guia_limits 4m; guia_trusted_proxies 127.0.5.0/24;
set_real_ip_from 127.0.5.0/24; real_ip_header X-Forwarded-For; real_ip_recursive on;
guia on; guia_rules rules.conf; guia_site site;
server {{
    listen 127.0.0.1:{PORT};
    guia_limit source=10ms burst=100s;
    location / {{ proxy_pass http://127.0.0.1:{origin.port}; }}
    location /closed {{ guia_limit source=1ms burst=1s status=444; proxy_pass http://127.0.0.1:{origin.port}/slow; }}
    location /network {{ guia_limit network=2ms burst=1s; proxy_pass http://127.0.0.1:{origin.port}/slow; }}
    location /off {{ guia_limit off; proxy_pass http://127.0.0.1:{origin.port}/echo; }}
}}
""")
gate.start()
say = Writer(sys.argv.pop(2), bans).say


def status(source, *arguments, path="/echo"):
    return curl(f"http://127.0.0.1:{PORT}{path}", "--interface", source, *arguments).status


@case("who had more of the origin's time than is granted is refused, in every worker, and others are not")
def _():
    assert status("127.0.2.1", path="/slow") == 200  # 2 s: twice what may be had at once
    wait_until(lambda: status("127.0.2.1") == 429, "a refusal")
    assert [status("127.0.2.1") for _ in range(10)] == [429] * 10
    assert status("127.0.2.2") == 200


@case("a request that cost little is charged little")
def _():
    for last in range(10, 40):  # where they took longer than they may, together, it is done again
        client = http.client.HTTPConnection("127.0.0.1", PORT, source_address=(f"127.0.2.{last}", 0))
        statuses, began = [], time.monotonic()
        for _ in range(20):
            client.request("GET", "/echo")
            reply = client.getresponse()
            reply.read()
            statuses.append(reply.status)
        took = time.monotonic() - began
        client.close()
        if took < 1:
            break
    if took >= 1:
        raise Skip("this machine is too slow to tell")
    assert statuses == [200] * 20, statuses


@case("a reload keeps what is owed")
def _():
    assert status("127.0.2.4", path="/slow") == 200
    wait_until(lambda: status("127.0.2.4") == 429, "a refusal")
    gate.reload()
    answers = status("127.0.2.4"), status("127.0.2.5")
    assert answers == (429, 200), answers


@case("a location may have its own limit, close without an answer, or have none")
def _():
    assert status("127.0.2.6", path="/closed") == 200
    wait_until(lambda: status("127.0.2.6", path="/closed") == 0, "a refusal")
    assert [status("127.0.2.6", path="/off") for _ in range(5)] == [200] * 5


@case("a network has a limit of its own")
def _():
    sources = iter(range(2, 250))
    assert status("127.0.3.1", path="/network") == 200
    wait_until(lambda: status(f"127.0.3.{next(sources)}", path="/network") == 429, "a refusal")
    assert status("127.0.4.1", path="/network") == 200


@case("what a trusted proxy names is limited by itself, and the proxy never")
def _():
    def named(address):
        return status("127.0.5.1", "-H", f"X-Forwarded-For: {address}", path="/closed")
    assert named("192.0.2.1") == 200
    wait_until(lambda: named("192.0.2.1") == 0, "a refusal")
    assert named("198.51.100.1") == 200
    assert [status("127.0.5.1", path="/closed") for _ in range(4)] == [200] * 4


@case("an allowance bypasses limits and no inspection")
def _():
    assert status("127.0.2.6", path="/closed") == 0
    say("allow 127.0.2.6 13 600000", "base")
    gate.looked()
    assert [status("127.0.2.6", path="/closed") for _ in range(4)] == [200] * 4
    assert status("127.0.2.6", path="/echo?q=attack") == 403


@case("the watch is told")
def _():
    def ends():
        folders = (gate.folder / "events").glob("worker-*")
        return [e for folder in folders for e in outbox.Outbox(folder).events()
                if e.kind == outbox.END and outbox.REASONS[e.reason] == "limit"]
    wait_until(lambda: any(e.status == 429 for e in ends()), "an event")
    assert all(outbox.VERDICTS[e.verdict] == "block" for e in ends())


@case("what a person wrote wrong is told")
def _():
    for directive, says in (("guia_limit source=1s; server { listen 127.0.0.1:1; }", "needs guia_limits"), ("guia_limits 1k;", "no size of 1m or more"),
                            ("guia_limits 1m; guia_limits 1m;", "is duplicate"),
                            ("guia_limits 1m; guia_limit source=0;", "is none of source=TIME"),
                            ("guia_limits 1m; guia_limit 5r/s;", "is none of source=TIME"),
                            ("guia_limits 1m; guia_limit source=1s status=200;", "is none of source=TIME"),
                            ("guia_limits 1m; guia_limit source=1s burst=2h;", "is none of source=TIME"),
                            ("guia_limits 1m; guia_limit source=1s; guia_limit off;", "is duplicate")):
        wrong = Gate(directive, start=False)
        accepted, text = wrong.check()
        assert not accepted and says in text, (directive, text)
        wrong.close()


main()
