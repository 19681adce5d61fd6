"""Findings: what inspection found, as the gate tells it; over reloads, killed workers, and more than may be told."""
import os
import pathlib
import shutil
import socket
import tempfile

from harness import Gate, Origin, case, curl, free_port, main, raw, wait_until

import outbox

RULES = """
SecRuleEngine On
SecRequestBodyAccess On
SecResponseBodyAccess On
SecResponseBodyMimeType text/html
SecRequestBodyLimit 1000000
SecAction "id:1,phase:1,nolog,pass,setvar:tx.inbound_anomaly_score_threshold=5,setvar:tx.anomaly_score=0"
SecRule REQUEST_HEADERS:User-Agent "@contains sqlmap" \
    "id:913100,phase:1,pass,log,severity:CRITICAL,tag:attack-reputation-scanner,msg:'Scanner',setvar:tx.anomaly_score=+5"
SecRule ARGS "@detectSQLi" "id:942100,phase:2,pass,log,severity:CRITICAL,tag:'attack-sqli',tag:'OWASP_CRS',\
msg:'SQL injection in %{MATCHED_VAR_NAME}',logdata:'Matched Data: %{MATCHED_VAR}',setvar:tx.anomaly_score=+5"
SecRule ARGS "@contains odd" "id:920999,phase:2,pass,log,tag:attack-protocol,setvar:tx.anomaly_score=+2"
SecRule FILES "@rx [.]php$" "id:933110,phase:2,pass,log,tag:attack-injection-php,setvar:tx.anomaly_score=+5"
SecRule TX:anomaly_score "@ge %{tx.inbound_anomaly_score_threshold}" "id:949110,phase:2,deny,status:403,log,msg:'Exceeded'"
SecRule REQUEST_URI "@contains evil" "id:1001,phase:1,deny,status:403,nolog"
SecRule RESPONSE_BODY "@contains ORA-00933" "id:951120,phase:4,deny,status:403,log,tag:attack-disclosure,msg:'Leak'"
"""
CONFIG = """
guia_events {events};
client_body_buffer_size 16k;
guia_rules rules.conf;
guia on;
server {{
    listen 127.0.0.1:{one};
    listen 127.0.0.1:{h2} http2;
    guia_site one.example;
    location / {{ proxy_pass http://127.0.0.1:{origin}; }}
}}
server {{
    listen 127.0.0.1:{two};
    guia_site two.example;
    guia_rules 'SecRuleEngine DetectionOnly';
    location / {{ proxy_pass http://127.0.0.1:{origin}; }}
}}
"""
SQL = "/echo?q=1'%20or%20'1'='1&token=s3cret-t0ken"


def leaks(handler):
    handler.body()  # else closing resets the connection, and what was answered may be lost
    handler.send(200, b"<html>ORA-00933: SQL command not properly ended</html>")


origin = Origin({"/leaks": leaks})
ONE, H2, TWO = free_port(), free_port(), free_port()


class FindingsGate(Gate):
    last = None

    def __init__(self, workers=1):
        if FindingsGate.last is not None:
            FindingsGate.last.close()  # of a case that failed
        FindingsGate.last = self
        memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
        self.events = pathlib.Path(tempfile.mkdtemp(prefix="guia-findings-", dir=memory)) / "events"
        super().__init__("", workers=workers, start=False, files={"rules.conf": RULES})
        self.configure(CONFIG.format(events=self.events, origin=origin.port, one=ONE, h2=H2, two=TWO))
        self.start()

    def close(self):
        super().close()
        shutil.rmtree(self.events.parent, ignore_errors=True)

    def site(self, name="one.example"):
        return outbox.site_sum(outbox.read_all(self.events), name)

    def findings(self, count, name="one.example"):
        """All that are told, once there were so many in all."""
        wait_until(lambda: self.site(name)["findings"] >= count and self.site(name)["settled"], f"{count} findings")
        assert self.site(name)["findings"] == count
        return [f for box in outbox.read_all(self.events) for f in box.findings().values() if box.name(f.site) == name]


def get(path, *arguments, port=None, **more):
    return curl(f"http://127.0.0.1:{port or ONE}{path}", *arguments, **more)


@case("a blocked request is told with its rules, scores, head and body, secrets replaced", both=True)
def _(http2):
    gate = FindingsGate()
    body = b"password=hunter2&note=hello"
    reply = get(SQL, "-A", "sqlmap/1.7", "-H", "Cookie: session=c00kie", "-H", "Authorization: Bearer b3arer",
                "--data-binary", "@-", data=body, http2=http2, port=H2 if http2 else ONE)
    assert reply.status == 403
    assert get("/echo?q=fine", http2=http2, port=H2 if http2 else ONE).status == 200
    f, = gate.findings(1)
    box, = outbox.read_all(gate.events)
    end, = [e for e in box.events() if e.kind == outbox.END and e.status == 403]
    assert (f.request, f.connection, f.source, f.port) == (end.request, end.connection, end.source, end.port)
    assert (f.path, f.agent_hash, f.shape, f.wall_ms) == (end.path, end.agent, end.shape, end.wall_ms)
    assert (f.status, f.rule, f.phase, f.inbound, f.outbound, f.inbound_threshold) == (403, 949110, 2, 10, 0, 5)
    assert f.found == {"disrupted"} and f.classes == {"sql-injection", "scanner"}
    assert [m["rule"] for m in f.matches] == [913100, 942100, 949110] and f.matches_all == 3
    assert [m["disruptive"] for m in f.matches] == [0, 0, 1]
    sqli = f.matches[1]
    assert (sqli["name"], sqli["severity"], sqli["phase"], sqli["classes"]) == (b"ARGS:q", 2, 2, {"sql-injection"})
    assert sqli["message"] == b"SQL injection in ARGS:q" and sqli["data"] == b"Matched Data: 1' or '1'='1"
    assert f.method == b"POST" and f.protocol == (b"HTTP/2.0" if http2 else b"HTTP/1.1")
    assert f.target.startswith(b"/echo?q=1'%20or%20'1'='1&token=") and f.agent == b"sqlmap/1.7"
    assert len(f.id) == 32 and gate.logged(f.id.decode(), "access.log")
    shown = b"".join([f.target, f.head, f.agent, *(m[k] for m in f.matches for k in ("name", "message", "data"))])
    for secret in (b"s3cret", b"c00kie", b"b3arer", b"hunter2"):
        assert secret not in shown, (secret, shown)
    for secret in (b"token=s3cret-t0ken", b"session=c00kie", b"Bearer b3arer"):
        assert secret in f.head_sent, (secret, f.head_sent)
    assert f.head_sent.startswith(b"POST /echo?q=") and f.head_sent.endswith(b"\r\n\r\n")
    assert f.body_sent == body and f.body_bytes == len(body)
    gate.close()


@case("what would be blocked is told whole, what only scored without what came, what scored nothing not at all")
def _():
    gate = FindingsGate()
    body = b"x=1" + b"y" * 9000
    assert get(SQL, "--data-binary", "@-", "-H", "Expect:", data=body, port=TWO).status == 200
    assert get("/echo?a=odd", "-d", "b=odd").status == 200
    assert get("/echo?a=fine", "-d", "b=fine").status == 200
    would, = gate.findings(1, "two.example")
    assert would.found == {"would-block"} and would.status == 200 and would.rule == 949110 and would.phase == 2
    assert b"s3cret" in would.head_sent and would.body_sent == body, "though it was sent on"
    scored, = gate.findings(1)
    assert scored.found == set() and scored.inbound == 4 and scored.classes == {"protocol"} and scored.rule == 0
    assert scored.head_sent == b"" and scored.body_sent == b"" and b"GET /echo" not in scored.head
    assert scored.head.startswith(b"POST /echo?a=odd HTTP/1.1") and scored.body_bytes == 5
    gate.close()


@case("a rule that says nothing in logs and blocks is told by its number")
def _():
    gate = FindingsGate()
    assert get("/evil", "-d", "never=read").status == 403
    f, = gate.findings(1)
    assert (f.rule, f.matches, f.found, f.body_sent, f.body_bytes) == (1001, [], {"disrupted", "body-gone"}, b"", 10)
    gate.close()


@case("a leak in a response is told as one, with what was asked")
def _():
    gate = FindingsGate()
    assert get("/leaks?id=7").status == 403
    assert get("/leaks?id=8", "-d", "x" * 30000, port=TWO).status == 200
    f, = gate.findings(1)
    assert f.found == {"response", "disrupted"} and f.classes == {"disclosure"} and f.phase == 4
    assert f.rule == 951120 and f.matches[0]["name"] == b"RESPONSE_BODY" and f.target == b"/leaks?id=7"
    # In a file, and given back when phase 2 let it pass: the gate does not read it again.
    f, = gate.findings(1, "two.example")
    assert f.found == {"response", "would-block", "body-gone"} and f.body_bytes == 30000 and f.body_sent == b""
    gate.close()


@case("of an upload, from memory or from a file, the first 64 KB are told", both=True)
def _(http2):
    gate = FindingsGate()
    sizes = (100, 15000, 60000, 200000)
    for size in sizes:
        part = bytes(i * 7 % 256 for i in range(size))
        body = b"--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.php\"\r\n\r\n" + part + b"\r\n--B--\r\n"
        for chunked in (["-H", "Transfer-Encoding: chunked"], []):
            assert get("/echo", "-H", "Content-Type: multipart/form-data; boundary=B", "-H", "Expect:", *chunked,
                       "--data-binary", "@-", data=body, http2=http2, port=H2 if http2 else ONE).status == 403
        pair = gate.findings(2 * (sizes.index(size) + 1))[-2:]
        for f in pair:
            assert f.body_bytes == len(body), (f.body_bytes, len(body), http2)
            assert f.body_sent == body[:65536], (len(f.body_sent), size, http2)
            assert f.classes == {"php-injection", "upload"} and f.matches[0]["name"] == b"FILES:f"
    gate.close()


@case("hostile bytes stay what they are, and texts are cut")
def _():
    gate = FindingsGate()
    nasty = b"\x1b]0;owned\x07\xff\xfe<script>'\"--%s%n"
    head = b"GET /echo?q=1'%20or%20'1'='1 HTTP/1.1\r\nHost: one\r\nUser-Agent: sqlmap" + nasty + b"\r\nConnection: close\r\n"
    many = b"".join(b"X-%d: %s\r\n" % (i, nasty * 30) for i in range(20))
    assert raw(ONE, head + many + b"\r\n").startswith(b"HTTP/1.1 403")
    f, = gate.findings(1)
    assert f.agent == b"sqlmap" + nasty, f.agent
    assert len(f.head) == 4096 and len(f.head_sent) <= 16384 and nasty in f.head_sent
    gate.close()


def burst(path, count):
    """Over one connection, one behind another."""
    with socket.create_connection(("127.0.0.1", ONE), timeout=300) as s:
        one = f"GET {path} HTTP/1.1\r\nHost: one\r\n"
        s.sendall((one + "\r\n").encode() * (count - 1) + (one + "Connection: close\r\n\r\n").encode())
        while s.recv(1 << 16):
            pass


@case("what passes the rate is not told, and how much that is is known exactly")
def _():
    gate = FindingsGate()
    burst("/none?a=odd", 900)
    told = gate.findings(900)
    site = gate.site()
    assert len(told) + site["findings_shed"] == 900, (len(told), site)
    seconds = (max(f.at_ns for f in told) - min(f.at_ns for f in told)) / 1e9
    assert len(told) <= 100 + 200 * seconds + 1, (len(told), seconds)
    # Blocked ones have a rate of their own.
    burst("/evil", 300)
    assert len(gate.findings(1200)) + gate.site()["findings_shed"] == 1200
    assert sum(f.found >= {"disrupted"} for f in gate.findings(1200)) == 300
    gate.close()


@case("bodies that pass the rate of bytes are left out, and counted")
def _():
    gate = FindingsGate()
    body = b"a=1'or'1'='1&b=" + b"x" * 65000
    for _ in range(40):
        assert get("/echo", "--data-binary", "@-", "-H", "Expect:", data=body).status == 403
    told = gate.findings(40)
    whole = [f for f in told if len(f.body_sent) > 65000 and f.head_sent]
    shed = [f for f in told if "body-shed" in f.found and not f.body_sent and not f.head_sent]
    # The ring holds what came last; the counters know of all.
    assert len(whole) + len(shed) == len(told) and len(shed) <= gate.site()["bodies_shed"]
    assert max(told, key=lambda f: f.at_ns).head.startswith(b"POST /echo HTTP/1.1")
    gate.close()


@case("numbers go on over reloads and workers that are killed")
def _():
    gate = FindingsGate()
    seen = 0
    for turn in range(4):
        burst("/evil", 20)
        seen += 20
        gate.findings(seen)
        numbers = sorted(n for box in outbox.read_all(gate.events) for n in box.findings())
        if turn % 2:
            gate.kill_workers()
        else:
            gate.reload()
    boxes = outbox.read_all(gate.events)
    assert sum(len(box.findings()) for box in boxes) == seen and numbers[0] == 0
    for box in boxes:
        assert sorted(box.findings()) == list(range(len(box.findings())))
    gate.close()


main()
