"""Floods over HTTP/2: streams that are reset as soon as they are asked for, headers without an end, many streams at once, bodies
that never end. The worker stays the same and as large as it was, nothing of them is left, and visitors are served."""
import re
import shutil
import struct
import subprocess
import threading

from harness import Gate, Origin, Skip, case, curl, free_port, main, wait_until
from http2 import CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, RST_STREAM, SETTINGS, Connection, frame, headers_block

RULES = """
SecRuleEngine On
SecRequestBodyAccess On
SecResponseBodyAccess On
SecResponseBodyMimeType text/html
SecRule ARGS|REQUEST_BODY "@contains evil" "id:1,phase:2,deny,status:403,log,t:none"
SecRule RESPONSE_BODY "@contains LEAK" "id:2,phase:4,deny,status:403,log,t:none"
"""
CANCEL = struct.pack(">I", 8)
GROWTH = 16 << 20  # the allocator keeps up to 5 MB more or less from one round to the next
origin = Origin({"/page": lambda h: h.send(200, b"<p>fine</p>" * 1000)})
PORT, H1 = free_port(), free_port()
gate = Gate("", start=False, files={"rules.conf": RULES})
gate.configure(f"""
keepalive_requests 100000;
server {{
    listen 127.0.0.1:{PORT} http2; listen 127.0.0.1:{H1};
    guia on; guia_rules rules.conf;
    location / {{ proxy_pass http://127.0.0.1:{origin.port}; }}
    location /static/ {{ alias {gate.folder}/; }}
}}
""")
gate.write("page.html", "<p>fine</p>" * 1000)
gate.start()
WORKER = gate.worker_pids()


def memory():
    status = open(f"/proc/{WORKER[0]}/status", encoding="ascii").read()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024


def withstands(attack):
    """What the first round needed serves the others; nothing of them is left."""
    attack()
    assert curl(f"http://127.0.0.1:{H1}/page").status == 200
    before = memory()
    attack()
    attack()
    assert gate.worker_pids() == WORKER, gate.errors()[-2000:]
    assert curl(f"http://127.0.0.1:{H1}/page").status == 200
    assert curl(f"http://127.0.0.1:{H1}/page?q=evil").status == 403
    wait_until(lambda: memory() - before < GROWTH, "the memory that it took")
    assert "[alert]" not in gate.errors() and "[crit]" not in gate.errors()


def block(path, method="GET"):
    return headers_block([(":method", method), (":scheme", "http"), (":path", path), (":authority", "a")])


@case("streams that are reset at once")
def _():
    def attack():
        for path in ("/static/page.html", "/page", "/page?q=evil"):
            c, asked = Connection(PORT), block(path)
            threading.Thread(target=lambda: [None for _ in iter(c.read, False)], daemon=True).start()
            for _ in range(1500):
                stream = c.expect()
                c.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, asked) + frame(RST_STREAM, 0, stream, CANCEL))
            c.close()
    withstands(attack)


@case("streams that are reset while their bodies are awaited, read and inspected")
def _():
    def attack():
        c = Connection(PORT)
        for number in range(400):
            stream = c.open("/echo", "POST", end=False)
            for _ in range(number % 3):
                c.data(stream, b"a=" + b"x" * 3000, end=False)
            if number % 5 == 0:
                c.data(stream, b"&b=evil", end=True)
            c.send(frame(RST_STREAM, 0, stream, CANCEL))
        c.close()
    withstands(attack)


@case("headers that never end")
def _():
    piece = headers_block([(f"x-{n}", "y" * 100) for n in range(100)])

    def attack():
        c = Connection(PORT)
        stream = c.expect()
        c.send(frame(HEADERS, END_STREAM, stream, block("/page")))
        for _ in range(1000):
            c.send(frame(CONTINUATION, 0, stream, piece))
        c.close()
    withstands(attack)


@case("empty frames without number")
def _():
    def attack():
        for kind, first in ((CONTINUATION, frame(HEADERS, END_STREAM, 1, block("/page"))),
                            (DATA, frame(HEADERS, END_HEADERS, 1, block("/echo", "POST"))), (SETTINGS, b"")):
            c = Connection(PORT)
            c.send(first)
            for _ in range(20):
                c.send(frame(kind, 0, 0 if kind == SETTINGS else 1) * 1000)
            c.close()
    withstands(attack)


@case("windows that stay shut on pages that wait for their verdict")
def _():
    def attack():
        connections, asked = [], len(origin.seen)
        for _ in range(10):
            c = Connection(PORT)
            c.send(frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 0)))
            for _ in range(20):
                c.open("/page")
            connections.append(c)
        wait_until(lambda: len(origin.seen) >= asked + 200, "the questions to the origin")
        for c in connections:
            c.close()
    withstands(attack)


@case("many streams of many connections at once")
def _():
    def attack():
        for path in ("/static/page.html", "/page?q=evil"):
            done = subprocess.run(["h2load", "-n", "3000", "-c", "20", "-m", "50", f"http://127.0.0.1:{PORT}{path}"],
                                  capture_output=True, text=True, check=False, timeout=120)
            assert "3000 done" in done.stdout and "0 errored" in done.stdout, done.stdout
    if shutil.which("h2load") is None:
        raise Skip("h2load is not installed")
    withstands(attack)


if __name__ == "__main__":
    main()
