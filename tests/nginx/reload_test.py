"""Reloads under load: no request fails, event streams and WebSockets go on, memory does not grow.

Usage: reload_test.py MODULE [soak]. With `soak`: a hundred reloads, 10,000 requests and more, Debian's Core Rule Set,
and a run under valgrind.
"""
import http.client
import os
import pathlib
import re
import signal
import socket
import sys
import threading
import time

import harness
from harness import Gate, Origin, Skip, case, curl, free_port, wait_until
import processes

SOAK = "soak" in sys.argv[2:]
sys.argv = sys.argv[:2]
RELOADS, FROM, REQUESTS, TOLERANCE = (100, 10, 10000, 0.02) if SOAK else (12, 4, 300, 0.05)

RULES = """
SecRuleEngine On
SecRequestBodyAccess On
SecResponseBodyAccess On
SecResponseBodyMimeType text/html
SecRule REQUEST_URI "@contains evil" "id:1,phase:1,deny,status:403,log,t:none"
SecRule REQUEST_BODY "@contains evil" "id:2,phase:2,deny,status:403,log,t:none"
SecRule RESPONSE_BODY "@contains LEAK" "id:3,phase:4,deny,status:403,log,t:none"
"""
CRS = pathlib.Path("/usr/share/modsecurity-crs/rules")
CRS_RULES = """
SecRuleEngine On
SecRequestBodyAccess On
SecResponseBodyAccess On
SecResponseBodyMimeType text/html
Include /etc/modsecurity/crs/crs-setup.conf
Include /usr/share/modsecurity-crs/rules/*.conf
"""


def events(handler):
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b"data: tick\n\n")
            handler.wfile.flush()
            time.sleep(0.2)
    except OSError:
        pass
    handler.close_connection = True


def tunnel(handler):
    """A WebSocket's handshake, then an echo of bytes."""
    handler.send_response(101)
    handler.send_header("Upgrade", "websocket")
    handler.send_header("Connection", "Upgrade")
    handler.end_headers()
    while True:
        piece = handler.connection.recv(4096)
        if not piece:
            break
        handler.connection.sendall(piece)
    handler.close_connection = True


origin = Origin({"/events": events, "/ws": tunnel, "/page": lambda h: h.send(200, b"<p>fine</p>" * 100),
                 "/leak": lambda h: h.send(200, b"LEAK")})


def make_gate(port, rules, start=True, main="", workers=1):
    gate = Gate("", workers=workers, start=False, main=main, files={"rules.conf": rules})
    gate.configure(f"""
guia_cache_dir cache;
proxy_http_version 1.1;
proxy_read_timeout 1h;
access_log off;
server {{
    listen 127.0.0.1:{port};
    guia on; guia_rules rules.conf;
    location / {{ proxy_pass http://127.0.0.1:{origin.port}; proxy_set_header Connection ""; proxy_buffering off; }}
    location /ws {{ proxy_pass http://127.0.0.1:{origin.port}; proxy_set_header Upgrade $http_upgrade;
                    proxy_set_header Connection upgrade; }}
}}
""", main)
    if start:
        gate.start()
    return gate


class Client(threading.Thread):
    """Requests, one connection each, until told to stop; counts what was not as it should be."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.done, self.wrong, self.stopping = port, 0, [], False
        self.start()

    def run(self):
        expected = [("GET", "/page", None, 200), ("GET", "/page?evil", None, 403), ("POST", "/echo", "a=fine", 200),
                    ("POST", "/echo", "a=evil", 403), ("GET", "/leak", None, 403)]
        while not self.stopping:
            method, path, body, status = expected[self.done % len(expected)]
            try:
                got = self.ask(method, path, body)
            except (OSError, http.client.HTTPException) as error:
                got = repr(error)
            self.done += 1
            if got != status:
                self.wrong.append((method, path, got))

    def ask(self, method, path, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "Mozilla/5.0", "Accept": "*/*"}
        connection.request(method, path, body, headers if body else {"User-Agent": "Mozilla/5.0", "Accept": "*/*"})
        reply = connection.getresponse()
        reply.read()
        connection.close()
        return reply.status


def open_websocket(port):
    s = socket.create_connection(("127.0.0.1", port), timeout=300)
    s.sendall(b"GET /ws HTTP/1.1\r\nHost: a\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\nConnection: Upgrade\r\n"
              b"Upgrade: websocket\r\n\r\n")
    got = s.recv(4096)
    assert b" 101 " in got, got
    return s


def open_events(port):
    s = socket.create_connection(("127.0.0.1", port), timeout=300)
    s.sendall(b"GET /events HTTP/1.1\r\nHost: a\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\n\r\n")
    wait_for(s, b"tick")
    return s


def wait_for(s, text):
    got = b""
    while text not in got:
        piece = s.recv(4096)
        assert piece, got
        got += piece
    return got


def resident(pid):
    return int(processes.status(pid, "VmRSS").split()[0])


def measure(gate, port, before):
    """Resident kB of the master and of a new worker that has served the same few requests."""
    new = [p for p in gate.worker_pids() if p not in before]
    for _ in range(3):
        for path in ("/page", "/page?evil", "/leak"):
            curl(f"http://127.0.0.1:{port}{path}")
    return resident(gate.process.pid), resident(new[0])


def spread(values):
    return (max(values) - min(values)) / min(values)


@case(f"{RELOADS} reloads while requests run, with event streams and WebSockets connected")
def _():
    port = free_port()
    use_crs = SOAK and CRS.exists()
    gate = make_gate(port, CRS_RULES + RULES.replace("SecRuleEngine On", "").replace("id:", "id:90") if use_crs
                     else RULES)
    sockets, streams = [open_websocket(port) for _ in range(3)], [open_events(port) for _ in range(3)]
    clients = [Client(port) for _ in range(2)]
    sizes = []
    for number in range(1, RELOADS + 1):
        before = gate.worker_pids()
        gate.reload()
        sizes.append(measure(gate, port, before))
        if number == RELOADS // 2:  # old workers with tunnels may be many by now: others come and go
            sockets.append(open_websocket(port))
    wait_until(lambda: sum(c.done for c in clients) >= REQUESTS, "the requests", 600)
    for client in clients:
        client.stopping = True
        client.join(300)
    done = sum(c.done for c in clients)
    wrong = [w for c in clients for w in c.wrong]
    assert not wrong, (len(wrong), done, wrong[:5])
    for number, s in enumerate(sockets):
        s.sendall(b"still here %d" % number)
        wait_for(s, b"still here %d" % number)
    for s in streams:
        wait_for(s, b"tick")
    masters, workers = zip(*sizes[FROM:])
    print(f"# {done} requests; master {masters[0]} to {masters[-1]} kB, workers {workers[0]} to {workers[-1]} kB; "
          f"spread {spread(masters):.4f} and {spread(workers):.4f}")
    assert spread(masters) <= TOLERANCE, masters
    assert spread(workers) <= TOLERANCE, workers
    for s in sockets + streams:
        s.close()
    bad = [l for l in gate.log_lines("error.log") if "[alert]" in l or "[emerg]" in l or "signal 11" in l]
    assert not bad, bad[:5]
    assert gate.stop(signal.SIGQUIT) == 0


@case("reloads with other rules each time do not add up")
def _():
    def rules(number):
        return RULES + "".join(f'SecRule ARGS "@rx attack{number}x{k}[a-z]+(foo|bar)" "id:{100 + k},phase:2,deny,log"\n'
                               for k in range(40))
    port = free_port()
    gate = make_gate(port, rules(0))
    sizes = []
    for number in range(1, RELOADS + 13):
        before = gate.worker_pids()
        gate.write("rules.conf", rules(number))
        gate.reload()
        sizes.append(measure(gate, port, before)[0])
    gate.close()
    early, late = max(sizes[6:12]), max(sizes[-6:])
    print(f"# master {early} kB, then {late} kB")
    assert late <= early * 1.05, sizes


def valgrind_case():
    """The master's life and its workers': requests of every kind, reloads, an end with everything given back."""
    if not pathlib.Path("/usr/bin/valgrind").exists():
        raise Skip("valgrind is not installed")
    port = free_port()
    gate = make_gate(port, RULES, start=False)
    gate.start(prefix=["valgrind", "--leak-check=full", "--show-leak-kinds=definite", "--child-silent-after-fork=no",
                       f"--log-file={gate.folder}/valgrind-%p"])
    for _ in range(3):
        s, e = open_websocket(port), open_events(port)
        client = Client(port)
        wait_until(lambda: client.done >= 60, "requests", 120)
        client.stopping = True
        client.join(300)
        assert not client.wrong, client.wrong[:5]
        before = set(gate.worker_pids())
        gate.reload()
        s.close()
        e.close()
        wait_until(lambda: not before & set(gate.worker_pids()), "the old worker's end", 120)
    gate.stop(signal.SIGQUIT)
    reports = [path.read_text() for path in gate.folder.glob("valgrind-*")]
    assert len(reports) >= 4, len(reports)
    for text in reports:
        assert "HEAP SUMMARY" in text, text[-2000:]
        blocks = re.split(r"(?m)^==\d+== $", text)
        # nginx itself loses a few bytes of its environment at exit; only what is built here has line numbers
        lost = [block for block in blocks if "definitely lost in loss record" in block and ".c:" in block]
        assert not lost, lost[0]
        misused = [block for block in blocks if re.search("Invalid (read|write)|uninitialised", block)]
        assert not misused, misused[0]


if SOAK:
    case("under valgrind nothing of ours is lost or misused over requests and reloads")(valgrind_case)

if __name__ == "__main__":
    harness.main()
