"""The life of a request in nginx, over HTTP/1.1 and HTTP/2: when the gate sees it, and what it leaves alone."""
import hashlib
import os
import socket
import subprocess
import time

from harness import Gate, Origin, OriginHandler, case, curl, free_port, main, raw, wait_until
from http2 import Connection, frame, headers_block

RULES = """
SecRuleEngine On
SecRequestBodyAccess On
SecRequestBodyLimit 3000000
SecRequestBodyLimitAction Reject
SecAuditEngine On
SecAuditLogFormat JSON
SecAuditLogParts ABHZ
SecAuditLog {audit}
SecRule REQUEST_URI "@contains evil" "id:1,phase:1,deny,status:403,log,t:none"
SecRule REQUEST_URI "@contains elsewhere" "id:2,phase:1,redirect:http://example.org/there,log,t:none"
SecRule REQUEST_URI "@contains dropme" "id:3,phase:1,drop,log,t:none"
SecRule REQUEST_URI "@contains teapot" "id:4,phase:1,deny,status:418,log,t:none"
SecRule REQUEST_URI "@contains count" "id:5,phase:1,pass,log,t:none"
SecRule REMOTE_ADDR "@contains 203.0.113.9" "id:6,phase:1,deny,status:402,log,t:none"
SecRule REQUEST_PROTOCOL "@contains HTTP/1.1" "id:7,phase:1,pass,log,t:none"
SecRule REQUEST_PROTOCOL "@contains HTTP/2.0" "id:8,phase:1,pass,log,t:none"
SecRule REQUEST_BODY "@contains evil" "id:20,phase:2,deny,status:403,log,t:none"
SecRule REQUEST_URI "@contains body2" "id:21,phase:2,deny,status:406,log,t:none"
SecRule RESPONSE_STATUS "@streq 101" "id:30,phase:3,deny,status:403,log,t:none,chain"
	SecRule REQUEST_URI "@contains noupgrade" "t:none"
SecRule RESPONSE_STATUS "@contains 4" "id:50,phase:5,pass,log,t:none"
SecRule RESPONSE_STATUS "@contains 2" "id:51,phase:5,pass,log,t:none"
"""

CONFIG = """
client_max_body_size 4m;
client_body_buffer_size 16k;
large_client_header_buffers 4 8k;
proxy_cache_path {folder}/cache keys_zone=pages:1m;
proxy_http_version 1.1;
limit_req_zone $server_port zone=delays:1m rate=5r/s;
upstream app {{ server 127.0.0.1:{origin}; keepalive 8; }}
server {{
    listen 127.0.0.1:{h1};
    listen 127.0.0.1:{h2} http2;
    set_real_ip_from 127.0.0.1;
    guia on;
    guia_rules rules.conf;
    guia_site example;
    location / {{ proxy_pass http://app; proxy_set_header Connection ""; proxy_set_header X-Id $guia_id; }}
    location = /unbuffered {{ proxy_pass http://app/echo; proxy_request_buffering off; proxy_set_header Connection ""; }}
    location = /stream {{ guia_request_body off; proxy_pass http://app/echo; proxy_request_buffering off;
                          proxy_set_header Connection ""; }}
    location /return {{ return 204; }}
    location /moved {{ return 301 /new; }}
    location /off {{ guia off; return 200 "off"; }}
    location /private {{ auth_basic "who"; auth_basic_user_file {folder}/users; proxy_pass http://app/echo; }}
    location /any {{ satisfy any; deny all; auth_basic "who"; auth_basic_user_file {folder}/users;
                     proxy_pass http://app/echo; }}
    location /asked {{ auth_request /ask; proxy_pass http://app/echo; }}
    location = /ask {{ internal; proxy_pass http://app/ask?count=1; proxy_pass_request_body off;
                       proxy_set_header Content-Length ""; }}
    location /mirrored {{ mirror /copy; proxy_pass http://app/echo; }}
    location = /copy {{ internal; proxy_pass http://app/mirror?count=1; }}
    location /included {{ ssi on; root {folder}/www; }}
    location /accel {{ proxy_pass http://app/accel; }}
    location /inside/ {{ internal; alias {folder}/www/; }}
    location /tried {{ root {folder}/www; try_files $uri @fallback; }}
    location @fallback {{ rewrite ^ /echo break; proxy_pass http://app; }}
    location /plain {{ guia off; proxy_pass http://app/echo; }}
    location /rewritten {{ rewrite ^ /plain last; }}
    location /pages {{ error_page 403 /sorry.html; error_page 404 = @fallback; root {folder}/www; }}
    location = /sorry.html {{ root {folder}/www; }}
    location /realip {{ real_ip_header X-Real; set_real_ip_from 127.0.0.1; proxy_pass http://app/echo; }}
    location /small {{ client_max_body_size 1k; proxy_pass http://app/echo; }}
    location /late/ {{ limit_req zone=delays burst=20; proxy_pass http://app/; proxy_set_header Connection ""; }}
    location /named {{ error_page 418 = @named; return 418; }}
    location @named {{ client_max_body_size 1k; rewrite ^ /echo break; proxy_pass http://app; }}
    location /dav/ {{ dav_methods PUT; root {folder}; }}
    location /sliced {{ slice 1k; proxy_set_header Range $slice_range; proxy_pass http://app; }}
    location /grpc {{ guia_request_body off; grpc_pass grpc://127.0.0.1:{h2}; grpc_set_header X-Inner yes; }}
    location = /grpc/answer {{ if ($http_x_inner) {{ return 200 "inner"; }} guia_request_body off;
                               grpc_pass grpc://127.0.0.1:{h2}; grpc_set_header X-Inner yes; }}
    location /ws {{ proxy_pass http://127.0.0.1:{ws}; proxy_set_header Upgrade $http_upgrade;
                    proxy_set_header Connection upgrade; }}
}}
"""


def accel(handler):
    handler.send(200, b"", X_Accel_Redirect="/inside/secret.html")


def sliced(handler):
    whole = b"0123456789" * 500
    first, last = handler.headers["Range"].partition("=")[2].split("-")
    part = whole[int(first):int(last) + 1]
    handler.send(206, part, Content_Range=f"bytes {first}-{int(first) + len(part) - 1}/{len(whole)}", ETag='"one"')


class WebSocketOrigin:
    """Answers one upgrade with 101, then echoes bytes."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(64)
        self.port = self.socket.getsockname()[1]
        import threading
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        import threading
        while True:
            connection, _ = self.socket.accept()
            threading.Thread(target=self.one, args=(connection,), daemon=True).start()

    def one(self, connection):
        got = b""
        while b"\r\n\r\n" not in got:
            piece = connection.recv(4096)
            if not piece:
                return
            got += piece
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        while True:
            piece = connection.recv(65536)
            if not piece:
                return
            connection.sendall(piece)


origin = Origin({"/accel": accel, "/ask": OriginHandler.echo, "/mirror": OriginHandler.echo,
                 "/part": lambda h: h.send(200, b"[part]"), "/sliced": sliced})
websocket = WebSocketOrigin()
H1, H2 = free_port(), free_port()
gate = Gate("", start=False, files={
    "users": "u:{PLAIN}p\n", "www/included/page.shtml": '<p><!--#include virtual="/part?count=1" --></p>',
    "www/secret.html": "the secret page", "www/sorry.html": "we are sorry"})
os.makedirs(gate.folder / "dav")
gate.write("rules.conf", RULES.replace("{audit}", str(gate.folder / "audit.log")))
gate.configure(CONFIG.format(folder=gate.folder, origin=origin.port, h1=H1, h2=H2, ws=websocket.port))
gate.start()


def get(path, *arguments, http2=False, **more):
    return curl(f"http://127.0.0.1:{H2 if http2 else H1}{path}", *arguments, http2=http2, **more)


def records(mark, patience=60):
    """Audit records of requests whose URI holds `mark`."""
    return wait_until(lambda: [r for r in gate.audit() if mark in json_uri(r)], f"audit record of {mark}", patience)


def json_uri(record):
    return record.get("transaction", record).get("request", {}).get("uri", "")


def ids(mark, id_):
    """How often rule `id_` was logged for the one request whose URI holds `mark`. The audit record is written last."""
    found = records(mark)
    assert len(found) == 1, (mark, len(found))
    unique = found[0]["transaction"]["unique_id"]
    return len([l for l in gate.log_lines("error.log") if f'[id "{id_}"]' in l and f'[unique_id "{unique}"]' in l])


_marks = iter(range(1, 10 ** 6))


def mark():
    return f"m{next(_marks)}x"


@case("a clean request passes, with its id, verdict and score in the access log", both=True)
def _(http2):
    m = mark()
    reply = get(f"/echo?{m}", http2=http2)
    assert reply.status == 200, reply
    sent = reply.json()["headers"]["X-Id"]
    assert len(sent) == 32, sent
    assert gate.logged(f"id={sent}", "access.log")[0].startswith(f"200 id={sent} verdict=pass score="), sent


@case("the protocol is what the client speaks", both=True)
def _(http2):
    m = mark()
    assert get(f"/echo?{m}", http2=http2).status == 200
    assert (ids(m, 7), ids(m, 8)) == ((0, 1) if http2 else (1, 0))


@case("phase 1 denies, and the error log and the audit log say so", both=True)
def _(http2):
    m = mark()
    assert get(f"/echo?{m}&evil", http2=http2).status == 403
    lines = gate.logged(m + "&evil")
    assert any('[id "1"]' in l for l in lines), lines
    assert gate.logged("guia: request denied with status 403 by rule 1")
    assert len(records(m)) == 1
    assert gate.logged("verdict=block", "access.log")


@case("the status of a rule is the client's", both=True)
def _(http2):
    assert get("/echo?teapot", http2=http2).status == 418


@case("redirect answers with Location", both=True)
def _(http2):
    reply = get("/echo?elsewhere", http2=http2)
    assert reply.status == 302 and reply.headers["location"] == "http://example.org/there", reply


@case("drop closes without an answer", both=True)
def _(http2):
    assert get("/echo?dropme", http2=http2).status == 0


@case("guia off inspects nothing", both=True)
def _(http2):
    assert get("/off?evil", http2=http2).body == b"off"


@case("the rule set is that of the first location found", both=True)
def _(http2):
    m = mark()
    assert get(f"/rewritten?{m}&count", http2=http2).status == 200
    assert ids(m, 5) == 1
    assert get("/rewritten?evil", http2=http2).status == 403
    assert get("/plain?evil", http2=http2).status == 200


@case("a body in memory is inspected", both=True)
def _(http2):
    assert get("/echo", "-d", "a=evil", http2=http2).status == 403
    assert get("/echo", "-d", "a=fine", http2=http2).json()["length"] == 6


@case("a body in a temporary file is inspected and arrives whole", both=True)
def _(http2):
    data = b"a=" + b"x" * 2000000
    reply = get("/echo", "--data-binary", "@-", http2=http2, data=data)
    assert reply.status == 200, reply
    assert reply.json()["sha256"] == hashlib.sha256(data).hexdigest()
    assert get("/echo", "--data-binary", "@-", http2=http2, data=data + b"evil").status == 403


@case("a body without a length is inspected", both=True)
def _(http2):
    kind = ("-H", "Content-Type: application/x-www-form-urlencoded", "-X", "POST", "-T", "-")
    if not http2:
        kind += ("-H", "Transfer-Encoding: chunked")
    assert get("/echo", *kind, http2=http2, data=b"a=fine").json()["length"] == 6
    assert get("/echo", *kind, http2=http2, data=b"a=evil").status == 403
    assert get("/echo", *kind, http2=http2, data=b"a=" + b"x" * 100000 + b"evil").status == 403


@case("Expect: 100-continue gets its 100 and is inspected")
def _():
    def ask(body):
        with socket.create_connection(("127.0.0.1", H1), timeout=300) as s:
            s.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Type: "
                      b"application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n" % len(body))
            first = s.recv(1000)
            assert b"100 Continue" in first, first
            s.sendall(body)
            return s.recv(1000)
    assert b"403" in ask(b"a=evil").split(b"\r\n")[0]
    assert b"200" in ask(b"a=fine").split(b"\r\n")[0]


@case("a denied Expect: 100-continue never asks for the body")
def _():
    answer = raw(H1, "POST /echo?evil HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\n"
                     "Content-Length: 1000\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 403"), answer


@case("a body is read whole before proxying, whatever proxy_request_buffering says", both=True)
def _(http2):
    before = len([s for s in origin.seen if s[1] == "/echo"])
    assert get("/unbuffered", "-d", "a=" + "x" * 10000 + "evil", http2=http2).status == 403
    assert len([s for s in origin.seen if s[1] == "/echo"]) == before
    assert get("/unbuffered", "-d", "a=fine", http2=http2).json()["length"] == 6


@case("guia_request_body off lets a body pass as it comes", both=True)
def _(http2):
    assert get("/stream", "-d", "a=evil", http2=http2).status == 200
    assert get("/stream?evil", http2=http2).status == 403


@case("guia_request_body off: the origin sees the request before the body ends")
def _():
    before = len(origin.seen)
    with socket.create_connection(("127.0.0.1", H1), timeout=300) as s:
        s.sendall(b"POST /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 10\r\n\r\nabc")
        wait_until(lambda: len(origin.seen) > before, "the request at the origin")
        s.sendall(b"defghij")
        assert b"200 OK" in s.recv(4096)


@case("a body over SecRequestBodyLimit is refused with 413", both=True)
def _(http2):
    assert get("/echo", "--data-binary", "@-", http2=http2, data=b"a=" + b"x" * 3500000).status == 413


@case("HTTP/2: a body that has come whole while limit_req had the request wait is inspected")
def _():
    connection = Connection(H2)
    bodies = {}
    for n in range(4):
        body = b"" if n == 3 else b"q=evil" if n % 2 else b"q=evil" + b"x" * 3000
        stream = connection.open("/late/echo", "POST", [("content-length", str(len(body)))] if n < 2 else [], end=False)
        connection.data(stream, body)
        bodies[stream] = body
    for stream, body in bodies.items():
        assert connection.finish(stream).status == (403 if body else 200), (stream, body)
    connection.close()


@case("a body that is longer than a named location's limit, which nginx does not ask for, is inspected", both=True)
def _(http2):
    reply = get("/named", "--data-binary", "@-", http2=http2, data=b"a=" + b"x" * 5000)
    assert reply.status == 200 and reply.json()["length"] == 5002, reply
    assert get("/named", "--data-binary", "@-", http2=http2, data=b"a=evil" + b"x" * 5000).status == 403


@case("phase 2 runs without a body", both=True)
def _(http2):
    assert get("/echo?body2", http2=http2).status == 406


@case("what nginx refuses with 413 reaches phase 5", both=True)
def _(http2):
    def refused(reply):
        # curl drops an answer that comes before its body is sent when the stream is reset after it (HTTP/2)
        return reply.status == 413 or (http2 and reply.status == 0)
    m = mark()
    assert refused(get(f"/small?{m}", "-d", "a=" + "x" * 5000, http2=http2))
    assert ids(m, 50) == 1
    m = mark()
    # no length: nginx finds out while the gate reads
    arguments = ["-X", "POST", "-T", "-"] + ([] if http2 else ["-H", "Transfer-Encoding: chunked"])
    assert refused(get(f"/small?{m}", *arguments, http2=http2, data=b"x" * 50000))
    assert ids(m, 50) == 1


@case("a malformed request (400) reaches phase 5")
def _():
    m = mark()
    before = len([l for l in gate.log_lines("error.log") if '[id "50"]' in l])
    assert b" 400 " in raw(H1, f"GET /{m} HTTP/1.1\r\nHost: a b\r\n\r\n")
    wait_until(lambda: len([l for l in gate.log_lines("error.log") if '[id "50"]' in l]) == before + 1, "phase 5")
    assert b" 400 " in raw(H1, "G\x01T / HTTP/1.1\r\n\r\n")
    wait_until(lambda: len([l for l in gate.log_lines("error.log") if '[id "50"]' in l]) == before + 2, "phase 5")


@case("a URI too long (414) and a header too long (431 or 400) reach phase 5")
def _():
    for request in ("GET /" + "a" * 20000 + " HTTP/1.1\r\nHost: a\r\n\r\n",
                    "GET / HTTP/1.1\r\nHost: a\r\nX: " + "a" * 20000 + "\r\n\r\n"):
        before = len([l for l in gate.log_lines("error.log") if '[id "50"]' in l])
        answer = raw(H1, request)
        assert answer.split(b" ")[1] in (b"414", b"400", b"431"), answer[:100]
        wait_until(lambda: len([l for l in gate.log_lines("error.log") if '[id "50"]' in l]) > before, "phase 5")


@case("HTTP/2: headers too long reach the logs, though nginx ends the connection")
def _():
    m = mark()
    get(f"/{m}", *[word for n in range(6) for word in ("-H", f"X-Long{n}: " + "a" * 7000)], http2=True)
    assert len(records(m)) == 1


@case("HTTP/2: what nginx refuses as malformed (400) or not allowed (405) reaches phase 5")
def _():
    def phase5():
        return len([l for l in gate.log_lines("error.log") if '[id "50"]' in l])
    for pairs in ([(":method", "GET"), (":scheme", "http"), (":path", "x"), (":authority", "a")],
                  [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a b")],
                  [(":method", "GET"), (":scheme", "http"), (":authority", "a")],
                  [(":method", "GET"), (":scheme", "http"), (":path", "/")],
                  [(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "a"), ("content-length", "x")],
                  [(":method", "TRACE"), (":scheme", "http"), (":path", "/"), (":authority", "a")]):
        before, connection = phase5(), Connection(H2)
        stream = connection.expect()
        connection.send(frame(1, 5, stream, headers_block(pairs)))
        answer = connection.finish(stream)
        assert answer.status in (400, 405), (pairs, vars(answer))
        wait_until(lambda b=before: phase5() == b + 1, f"phase 5 of {pairs}")
        connection.close()


@case("TRACE (405) reaches phase 5")
def _():
    m = mark()
    assert b" 405 " in raw(H1, f"TRACE /{m} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert ids(m, 50) == 1


@case("gRPC passes as it comes where the body is left alone, and its line and headers are inspected")
def _():
    for path, status in (("/grpc/answer", 200), ("/grpc/answer?evil", 403)):
        connection = Connection(H2)
        stream = connection.open(path, "POST", [("content-type", "application/grpc"), ("te", "trailers")], end=False)
        connection.data(stream, b"\0\0\0\0\4evil", end=False)
        answer = connection.finish(stream)
        assert answer.status == status, vars(answer)
        connection.close()


@case("HTTP/2: Expect: 100-continue is inspected as any other")
def _():
    for body, status in ((b"a=evil", 403), (b"a=fine", 200)):
        connection = Connection(H2)
        stream = connection.open("/echo", "POST", [("expect", "100-continue"), ("content-length", "6"), ("content-type",
                                 "application/x-www-form-urlencoded")], end=False)
        connection.data(stream, body)
        assert connection.finish(stream).status == status
        connection.close()


@case("HTTP/2: a body without a length, in many frames, with pauses")
def _():
    for end, status in ((b"fine", 200), (b"evil", 403)):
        connection = Connection(H2)
        stream = connection.open("/echo", "POST", [("content-type", "application/x-www-form-urlencoded")], end=False)
        for _ in range(5):
            connection.data(stream, b"x" * 5000, end=False)
            time.sleep(0.02)
        connection.data(stream, end, end=False)
        time.sleep(0.02)
        connection.data(stream, b"")
        assert connection.finish(stream).status == status
        connection.close()


@case("return reaches phase 5 and the logs", both=True)
def _(http2):
    m = mark()
    assert get(f"/return?{m}", http2=http2).status == 204
    assert ids(m, 51) == 1
    assert records(m)
    assert get("/moved", http2=http2).headers["location"].endswith("/new")


@case("phase 2 comes before auth_basic and satisfy", both=True)
def _(http2):
    for path in ("/private", "/any"):
        assert get(path, http2=http2).status == 401
        assert get(path + "?evil", http2=http2).status == 403
        assert get(path, "-d", "a=evil", http2=http2).status == 403
        assert get(path, "-u", "u:p", "-d", "a=fine", http2=http2).json()["length"] == 6


@case("auth_request's subrequest is not inspected on its own", both=True)
def _(http2):
    before = len(gate.log_lines("access.log"))
    m = mark()
    assert get(f"/asked?{m}", http2=http2).status == 200
    wait_until(lambda: len(gate.log_lines("access.log")) > before, "access log")
    assert len(records(m)) == 1
    assert not [l for l in gate.log_lines("error.log") if '[id "5"]' in l and "/ask?" in l]


@case("mirror's subrequest is not inspected on its own, and gets the body", both=True)
def _(http2):
    before = len([s for s in origin.seen if s[1].startswith("/mirror")])
    m = mark()
    assert get(f"/mirrored?{m}", "-d", "a=fine", http2=http2).json()["length"] == 6
    wait_until(lambda: len([s for s in origin.seen if s[1].startswith("/mirror")]) == before + 1, "the copy")
    assert len(records(m)) == 1


@case("SSI's subrequests are not inspected on their own", both=True)
def _(http2):
    before = len([l for l in gate.log_lines("error.log") if '[id "5"]' in l])
    reply = get("/included/page.shtml", "-H", "Accept: text/html", http2=http2)
    assert reply.status == 200 and b"[part]" in reply.body, reply
    assert len([l for l in gate.log_lines("error.log") if '[id "5"]' in l]) == before


@case("slice's subrequests are not inspected on their own", both=True)
def _(http2):
    m = mark()
    asked = len([s for s in origin.seen if s[1].startswith("/sliced")])
    reply = get(f"/sliced?count&{m}", http2=http2)
    assert reply.status == 200 and reply.body == b"0123456789" * 500, (reply.status, len(reply.body))
    assert len([s for s in origin.seen if s[1].startswith("/sliced")]) == asked + 5
    assert len(records(m)) == 1 and ids(m, 5) == 1


@case("X-Accel-Redirect neither inspects twice nor loses the transaction", both=True)
def _(http2):
    m = mark()
    reply = get(f"/accel?count&{m}", http2=http2)
    assert reply.body == b"the secret page", reply
    assert len(records(m)) == 1
    assert ids(m, 5) == 1 and ids(m, 51) == 1


@case("try_files and named locations neither inspect twice nor lose the transaction", both=True)
def _(http2):
    m = mark()
    assert get(f"/tried/nothing?count&{m}", "-d", "a=fine", http2=http2).json()["length"] == 6
    assert len(records(m)) == 1 and ids(m, 5) == 1
    assert get("/tried/nothing?evil", http2=http2).status == 403


@case("error_page serves for the gate's denials", both=True)
def _(http2):
    m = mark()
    reply = get(f"/pages/x?evil&{m}", http2=http2)
    assert reply.status == 403 and reply.body == b"we are sorry", reply
    assert len(records(m)) == 1 and ids(m, 1) == 1
    m = mark()
    assert get(f"/pages/none?count&{m}", http2=http2).status == 200
    assert len(records(m)) == 1 and ids(m, 5) == 1


@case("REMOTE_ADDR is realip's, at server and at location level", both=True)
def _(http2):
    assert get("/echo", "-H", "X-Real-IP: 203.0.113.9", http2=http2).status == 402
    assert get("/realip", "-H", "X-Real: 203.0.113.9", http2=http2).status == 402
    assert get("/realip", "-H", "X-Real: 203.0.113.8", http2=http2).status == 200


@case("WebDAV's PUT still stores, and is inspected", both=True)
def _(http2):
    kind = ("-X", "PUT", "-H", "Content-Type: application/x-www-form-urlencoded", "--data-binary", "@-")
    for size in (6, 300000):
        data = b"a=" + b"x" * size
        reply = get(f"/dav/file{size}-{int(http2)}", *kind, http2=http2, data=data)
        assert reply.status in (201, 204), reply
        assert (gate.folder / f"dav/file{size}-{int(http2)}").read_bytes() == data
    assert get("/dav/bad", *kind, http2=http2, data=b"a=evil").status == 403
    assert not (gate.folder / "dav/bad").exists()


@case("an upgrade is inspected, and the tunnel left alone")
def _():
    ask = ("GET /ws{} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
    assert raw(H1, ask.format("?evil"), end=b"</html>").startswith(b"HTTP/1.1 403")
    answer = raw(H1, ask.format("?noupgrade"), end=b"</html>")
    assert answer.startswith(b"HTTP/1.1 403") and b"101 Switching" not in answer, answer
    with socket.create_connection(("127.0.0.1", H1), timeout=300) as s:
        s.sendall(ask.format("").encode())
        assert b"101 Switching" in s.recv(4096)
        for message in (b"hello", b"evil " * 20000):
            s.sendall(message)
            got = b""
            while len(got) < len(message):
                got += s.recv(65536)
            assert got == message


@case("a client that leaves in the middle of its body does no harm", both=True)
def _(http2):
    arguments = ["curl", "-sS", "--http2-prior-knowledge" if http2 else "--http1.1", "-m", "1", "--limit-rate", "1k",
                 "--data-binary", "@-", f"http://127.0.0.1:{H2 if http2 else H1}/echo"]
    subprocess.run(arguments, input=b"x" * 100000, capture_output=True, check=False)
    assert get("/echo", http2=http2).status == 200


@case("many requests on one connection each have their own transaction")
def _():
    with socket.create_connection(("127.0.0.1", H1), timeout=300) as s:
        for number in range(6):
            evil = number % 2
            s.sendall(f"GET /echo?{'evil' if evil else 'fine'} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            answer = s.recv(65536)
            while b"\r\n\r\n" not in answer:
                answer += s.recv(65536)
            assert answer.startswith(b"HTTP/1.1 403" if evil else b"HTTP/1.1 200"), answer
            head, _, body = answer.partition(b"\r\n\r\n")
            length = int([l for l in head.lower().split(b"\r\n") if l.startswith(b"content-length")][0].split(b":")[1])
            while len(body) < length:
                body += s.recv(65536)
    answer = raw(H1, "GET /echo?evil HTTP/1.1\r\nHost: a\r\n\r\nGET /return HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert b"HTTP/1.1 403" in answer and b"HTTP/1.1 204" in answer, answer


@case("USR1 reopens the audit log")
def _():
    import signal
    m = mark()
    get(f"/echo?{m}")
    records(m)
    os.rename(gate.folder / "audit.log", gate.folder / "audit.old")
    gate.signal(signal.SIGUSR1)
    wait_until(lambda: (gate.folder / "audit.log").exists(), "the new file")
    m = mark()
    wait_until(lambda: get(f"/echo?{m}") and [r for r in gate.audit() if m in json_uri(r)], "a record in the new file")


@case("nothing alarming was logged")
def _():
    bad = [l for l in gate.log_lines("error.log") if "[alert]" in l or "[emerg]" in l or "[crit]" in l]
    assert not bad, bad[:5]


if __name__ == "__main__":
    main()
