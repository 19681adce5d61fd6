"""Request bodies in temporary files: read in pieces, an error of the disk is an error like any other, and while the
origin thinks they cost no more memory than a rule may still ask for."""
import os
import re
import sys
import threading

from harness import Gate, Origin, case, curl, free_port, main

RULES = """
SecRuleEngine On
SecRequestBodyAccess On
SecRequestBodyLimit 100000000
SecRule ARGS|REQUEST_BODY "@contains attack" "id:1,phase:2,deny,status:403,nolog,t:none"
SecRule FILES_SIZES "@ge 1" "id:2,phase:2,pass,nolog,t:none"
"""
LATER = 'SecRule REQUEST_BODY "@contains attack" "id:4,phase:5,pass,log,t:none,msg:\'later\'"\n'
FILE_BYTES = 8 << 20
BOUNDARY = b"a-boundary-that-random-bytes-do-not-hold"
AT_ONCE = 4
go_on = threading.Event()
waiting = threading.Semaphore(0)


def slow(handler):
    body = handler.body()
    waiting.release()
    go_on.wait(300)
    handler.send(200, str(len(body)).encode())


origin = Origin({"/slow": slow})
H1, H2 = free_port(), free_port()
gate = Gate("", start=False, files={"rules.conf": RULES, "later.conf": LATER})
broken = gate.folder / "broken"
gate.configure(f"""
client_max_body_size 100m; proxy_read_timeout 300s;
server {{
    listen 127.0.0.1:{H1}; listen 127.0.0.1:{H2} http2;
    guia on; guia_rules rules.conf;
    location / {{ proxy_pass http://127.0.0.1:{origin.port}; }}
    location /later/ {{ guia_rules later.conf; proxy_pass http://127.0.0.1:{origin.port}/; }}
    location /pass/ {{ guia_on_failure pass; proxy_pass http://127.0.0.1:{origin.port}/; }}
}}
""")
gate.start(["env", f"LD_PRELOAD={sys.argv[2]}", f"GUIA_BROKEN_READ={broken}"])


def upload(content, field=b"hello"):
    return (b'--' + BOUNDARY + b'\r\nContent-Disposition: form-data; name="f"; filename="f.bin"\r\n\r\n' + content +
            b'\r\n--' + BOUNDARY + b'\r\nContent-Disposition: form-data; name="q"\r\n\r\n' + field + b"\r\n--" + BOUNDARY + b"--\r\n")


def post(path, body, http2=False, kind="multipart/form-data; boundary=" + BOUNDARY.decode()):
    return curl(f"http://127.0.0.1:{H2 if http2 else H1}{path}", "-H", f"Content-Type: {kind}", "-H", "Expect:",
                "--data-binary", "@-", http2=http2, data=body, patience=300)


def own_memory():
    status = open(f"/proc/{gate.worker_pids()[0]}/status", encoding="ascii").read()
    return int(re.search(r"RssAnon:\s+(\d+)", status)[1]) * 1024


@case("a body in a file reaches the rules to its last byte, and the origin whole", both=True)
def _(http2):
    for size in (65536 - 200, 65536, 65536 * 3 + 1, 1 << 20):
        reply = post("/echo", upload(bytes(size)), http2)
        assert reply.status == 200 and reply.json()["length"] == len(upload(bytes(size))), (size, reply)
        assert post("/echo", upload(bytes(size), b"attack"), http2).status == 403, size
        assert post("/echo", upload(bytes(size) + b"attack"), http2).status == 403, size
        assert post("/echo", bytes(size) + b"attack", http2, "application/octet-stream").status == 403, size


@case("a file that cannot be read, or ends too soon, is a failure; the worker goes on", both=True)
def _(http2):
    worker = gate.worker_pids()
    for order in ("error", "short"):
        broken.write_text(order)
        assert post("/echo", upload(bytes(1 << 20)), http2).status == 503, order
        reply = post("/pass/echo", upload(bytes(1 << 20)), http2)
        assert reply.status != 503, reply  # that the origin cannot be sent it either is nginx's affair
        broken.unlink()
    assert post("/echo", upload(bytes(1 << 20)), http2).status == 200
    assert gate.worker_pids() == worker
    assert gate.logged("cannot be read") and gate.logged("ends too soon") and gate.logged("guia: a scan failed")


def held(path):
    """How much more memory the worker has while so many uploads wait for the origin."""
    assert post("/echo", upload(os.urandom(FILE_BYTES))).status == 200
    before = own_memory()
    go_on.clear()
    replies = []
    threads = [threading.Thread(target=lambda: replies.append(post(path, upload(os.urandom(FILE_BYTES)))))
               for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert waiting.acquire(timeout=300)
    grown = own_memory() - before
    go_on.set()
    for thread in threads:
        thread.join()
    assert [r.status for r in replies] == [200] * AT_ONCE, replies
    return grown


@case("uploads that wait for the origin hold no memory for what their files hold, unless a later rule reads it")
def _():
    grown = held("/slow")
    assert grown < FILE_BYTES, grown
    grown = held("/later/slow")
    assert grown > AT_ONCE * FILE_BYTES * 3 / 4, grown


if __name__ == "__main__":
    main()
