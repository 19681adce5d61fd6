"""Reloads under load of kept connections: no request of which a byte was read fails, over HTTP/1.1 and HTTP/2.

nginx may close a connection that is idle, and a request that was on its way to it was not read: the client sends it again on
a new one. What was read is answered. So the answers that clients have and the lines of the access log are the same in number,
and every one is as it should be.
"""
import contextlib
import re
import socket
import threading
import time

from harness import Gate, Origin, case, free_port, main, wait_until
from http2 import Connection

RELOADS = 8
RULES = """
SecRuleEngine On
SecRequestBodyAccess On
SecResponseBodyAccess On
SecResponseBodyMimeType text/html
SecRule REQUEST_URI "@contains evil" "id:1,phase:1,deny,status:403,log,t:none"
SecRule REQUEST_BODY "@contains evil" "id:2,phase:2,deny,status:403,log,t:none"
SecRule RESPONSE_BODY "@contains LEAK" "id:3,phase:4,deny,status:403,log,t:none"
"""
REQUESTS = [("GET", "/page", b"", 200), ("GET", "/page?evil", b"", 403), ("POST", "/echo", b"a=fine", 200),
            ("POST", "/echo", b"a=evil", 403), ("GET", "/leak", b"", 403), ("GET", "/slow", b"", 200)]


def slow(handler):
    time.sleep(0.05)
    handler.send(200, b"<p>slow</p>" * 100)


origin = Origin({"/page": lambda h: h.send(200, b"<p>fine</p>" * 100), "/leak": lambda h: h.send(200, b"LEAK"), "/slow": slow})
H1, H2 = free_port(), free_port()
gate = Gate("", start=False, workers=2, files={"rules.conf": RULES})
gate.configure(f"""
guia_cache_dir cache;
proxy_http_version 1.1;
server {{
    listen 127.0.0.1:{H1};
    listen 127.0.0.1:{H2} http2;
    guia on; guia_rules rules.conf;
    location / {{ proxy_pass http://127.0.0.1:{origin.port}; proxy_set_header Connection ""; }}
}}
""", "worker_shutdown_timeout 30s;")
gate.start()


class Client(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        self.answered, self.unread, self.wrong, self.stopping = 0, 0, [], False
        self.start()

    def judge(self, request, status):
        if status is None:
            self.unread += 1
        elif status == request[3]:
            self.answered += 1
        else:
            self.wrong.append((request, status))


class KeptClient(Client):
    """One HTTP/1.1 connection, for as long as it is there."""

    def run(self):
        s, number, self.last = None, 0, False
        while not self.stopping:
            request = REQUESTS[number % len(REQUESTS)]
            try:
                if s is None:
                    s = socket.create_connection(("127.0.0.1", H1), timeout=300)
                status = self.ask(s, request)
            except OSError as error:
                # the kernel says that nobody will read what was sent
                status = None if isinstance(error, (BrokenPipeError, ConnectionResetError)) else repr(error)
            self.judge(request, status)
            number += status is not None
            if status is None or self.last:
                s.close()
                s, self.last = None, False

    def ask(self, s, request):
        method, path, body, _ = request
        s.sendall(f"{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                  f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        got = b""
        while b"\r\n\r\n" not in got:
            piece = s.recv(65536)
            if not piece:
                assert not got
                return None
            got += piece
        head, _, rest = got.partition(b"\r\n\r\n")
        length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
        while len(rest) < length:
            piece = s.recv(65536)
            if not piece:
                return f"cut after {len(rest)} of {length} bytes"
            rest += piece
        self.last = b"Connection: close" in head
        return int(head.split()[1])


class Http2Client(Client):
    """One HTTP/2 connection, several streams at a time."""

    def run(self):
        connection = None
        while not self.stopping:
            if connection is None or connection.closed or connection.goaway is not None:
                connection = Connection(H2, 300)
            streams = []
            for request in REQUESTS:
                stream = connection.open(request[1], request[0],
                                         [("content-type", "application/x-www-form-urlencoded")], end=not request[2])
                if request[2]:
                    connection.data(stream, request[2])
                streams.append((stream, request))
            for stream, request in streams:
                answer = connection.finish(stream)
                refused = answer.reset == 7 or (not answer.status and (connection.goaway is None or
                                                                       stream > connection.goaway))
                status = None if refused else answer.status if answer.ended and not answer.reset else \
                    f"{answer.status} and then {answer.reset} {connection.goaway}"
                self.judge(request, status)


def access_lines():
    return [l for l in gate.log_lines() if not l.startswith("#")]


@case("kept connections under load: what was read is answered")
def _():
    clients = [KeptClient() for _ in range(4)] + [Http2Client() for _ in range(2)]
    for _ in range(RELOADS):
        gate.reload()
        time.sleep(0.3)
    with contextlib.suppress(AssertionError):
        wait_until(lambda: sum(c.answered for c in clients) > 100, "answers")
    for client in clients:
        client.stopping = True
    for client in clients:
        client.join(300)
    wrong = [w for c in clients for w in c.wrong]
    answered, unread = sum(c.answered for c in clients), sum(c.unread for c in clients)
    assert not wrong, (len(wrong), answered, wrong[:5])
    assert answered > 100, answered
    wait_until(lambda: len(access_lines()) >= answered, "the log")
    lines = access_lines()
    print(f"# {answered} answered, {unread} sent again, {len(lines)} in the log")
    assert len(lines) == answered, "a request that was read has no answer"
    assert {line.split()[0] for line in lines} == {"200", "403"}, {line.split()[0] for line in lines}


@case("a request begun before a reload is answered after it, wherever it was cut")
def _():
    text = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 6\r\nConnection: close\r\n\r\na=fine"
    cuts = [1, 3, 10, 24, 40, len(text) - 6, len(text) - 3]
    sockets = [socket.create_connection(("127.0.0.1", H1), timeout=300) for _ in cuts]
    second = Connection(H2)
    half = second.open("/echo", "POST", end=False)
    second.data(half, b"a=", end=False)
    assert second.finish(second.open("/page")).status == 200  # by now what came before it was read
    for s, cut in zip(sockets, cuts):
        s.sendall(text[:cut])
    time.sleep(0.5)
    gate.reload()
    time.sleep(0.5)
    for s, cut in zip(sockets, cuts):
        s.sendall(text[cut:])
        got = b""
        while piece := s.recv(65536):
            got += piece
        assert got.startswith(b"HTTP/1.1 200") and b'"length": 6' in got, (cut, got[:300])
    second.data(half, b"fine")
    answer = second.finish(half)
    assert answer.status == 200 and b'"length": 6' in answer.body and not answer.reset, vars(answer)


@case("nothing alarming was logged")
def _():
    bad = [l for l in gate.log_lines("error.log") if "[alert]" in l or "[emerg]" in l or "[crit]" in l]
    assert not bad, bad[:5]


if __name__ == "__main__":
    main()
