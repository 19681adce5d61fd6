"""Responses: what waits for a verdict, what passes as it comes, and what stands in for a blocked page."""
import gzip
import os
import socket
import subprocess
import threading
import time

from harness import Gate, Origin, case, curl, free_port, main, wait_until

RULES = """
SecRuleEngine {engine}
SecResponseBodyAccess On
SecResponseBodyMimeType text/html text/plain
SecResponseBodyLimit {limit}
SecResponseBodyLimitAction {action}
SecRule RESPONSE_BODY "@contains SECRET-LEAK" "id:40,phase:4,deny,status:403,log,t:none"
SecRule RESPONSE_BODY "@contains GO-AWAY" "id:41,phase:4,redirect:http://example.org/sorry,log,t:none"
SecRule RESPONSE_BODY "@contains HANG-UP" "id:42,phase:4,drop,log,t:none"
SecRule RESPONSE_STATUS "@contains 299" "id:30,phase:3,deny,status:502,log,t:none"
SecRule RESPONSE_STATUS "@contains 298" "id:31,phase:3,deny,status:403,log,t:none"
"""

CONFIG = """
proxy_cache_path {folder}/cache keys_zone=pages:1m inactive=1h;
proxy_http_version 1.1;
gzip on; gzip_min_length 1; gzip_types text/plain text/html application/octet-stream;
server {{
    listen 127.0.0.1:{h1};
    listen 127.0.0.1:{h2} http2;
    guia on;
    guia_rules rules.conf;
    location / {{ proxy_pass http://127.0.0.1:{origin}; proxy_set_header Connection ""; }}
    location /nobuf/ {{ proxy_pass http://127.0.0.1:{origin}/; proxy_buffering off; proxy_set_header Connection ""; }}
    location /cached/ {{ proxy_pass http://127.0.0.1:{origin}/; proxy_cache pages; proxy_cache_valid 200 1h;
                         proxy_ignore_headers Cache-Control Expires; proxy_cache_key $uri; add_header X-Cache
                         $upstream_cache_status always; proxy_set_header Connection ""; }}
    location /sorry/ {{ error_page 403 /403.html; proxy_pass http://127.0.0.1:{origin}/;
                        proxy_set_header Connection ""; }}
    location /excuse/ {{ error_page 403 /apology; proxy_pass http://127.0.0.1:{origin}/; proxy_set_header Connection "";
                         location /excuse/nobuf/ {{ proxy_buffering off; proxy_pass http://127.0.0.1:{origin}/;
                                                    proxy_set_header Connection ""; }}
                         location /excuse/files/ {{ alias {folder}/www/; }} }}
    location = /403.html {{ root {folder}/www; }}
    location /files/ {{ alias {folder}/www/; }}
    location /threads/ {{ aio threads; sendfile off; output_buffers 2 4k; guia_rules rules-partial.conf;
                          alias {folder}/www/; }}
    location /page/ {{ ssi on; alias {folder}/www/; }}
    location /partial/ {{ guia_rules rules-partial.conf; proxy_pass http://127.0.0.1:{origin}/;
                          proxy_set_header Connection ""; }}
    location /watch/ {{ guia_rules none rules-watch.conf; proxy_pass http://127.0.0.1:{origin}/;
                        proxy_set_header Connection ""; }}
}}
"""

release = threading.Event()


def slow(handler, kind="text/html"):
    handler.send_response(200)
    handler.send_header("Content-Type", kind)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for piece in (b"data: one\n\n", b"data: two\n\n"):
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        handler.wfile.flush()
        if piece.startswith(b"data: one"):
            release.wait(60)
    handler.wfile.write(b"0\r\n\r\n")


def cut_short(handler):
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"only this")
    handler.close_connection = True


def ranged(handler):
    if handler.headers.get("Range"):
        return handler.send(206, b"RET-LEAK", Content_Range="bytes 3-10/11")
    return handler.send(200, b"SECRET-LEAK")


def encoded(handler):
    body = b"SECRET-LEAK" if "gzip" not in handler.headers.get("Accept-Encoding", "") else None
    if body:
        return handler.send(200, body)
    return handler.send(200, gzip.compress(b"SECRET-LEAK"), Content_Encoding="gzip")


def counted(handler):
    """A leak the first time, a clean page from then on."""
    key = handler.path
    times = handler.server.counts[key] = handler.server.counts.get(key, 0) + 1
    handler.send(200, b"SECRET-LEAK" if times == 1 else b"clean")


def counted_chunked(handler):
    key = handler.path
    times = handler.server.counts[key] = handler.server.counts.get(key, 0) + 1
    handler.send_chunked([b"a page with a ", b"SECRET-LEAK" if times == 1 else b"clean face"])


origin = Origin({
    "/fine": lambda h: h.send(200, b"a fine page " * 10, ETag='"tag"', Last_Modified="Mon, 28 Sep 2020 06:00:00 GMT"),
    "/leak": lambda h: h.send(200, b"x" * 1000 + b"SECRET-LEAK", ETag='"tag"', X_Inner="yes",
                              Last_Modified="Mon, 28 Sep 2020 06:00:00 GMT", Accept_Ranges="bytes"),
    "/leak-chunked": lambda h: h.send_chunked([b"one ", b"SECRET-", b"LEAK", b" two"]),
    "/leak-octets": lambda h: h.send(200, b"SECRET-LEAK", "application/octet-stream"),
    "/go": lambda h: h.send(200, b"GO-AWAY"),
    "/hang": lambda h: h.send(200, b"HANG-UP"),
    "/299": lambda h: h.send(299, b"odd"),
    "/298": lambda h: h.send(298, b"odd"),
    "/big": lambda h: h.send_chunked([b"0123456789abcdef" * 4096] * 40),
    "/late-leak": lambda h: h.send_chunked([b"0123456789abcdef" * 4096] * 40 + [b"SECRET-LEAK"]),
    "/early-leak": lambda h: h.send_chunked([b"SECRET-LEAK"] + [b"0123456789abcdef" * 4096] * 40),
    "/slow": slow, "/events": lambda h: slow(h, "text/event-stream"), "/octets": lambda h: slow(h, "application/octet-stream"),
    "/short": cut_short, "/ranged": ranged, "/encoded": encoded,
    "/empty": lambda h: h.send(200, b""), "/204": lambda h: (h.send_response(204), h.end_headers()),
    "/counted": counted, "/counted-chunked": counted_chunked, "/apology": lambda h: h.send(200, b"we are truly sorry" * 5000),
})
origin.server.counts = {}
H1, H2 = free_port(), free_port()
gate = Gate("", start=False, files={
    "rules.conf": RULES.format(engine="On", limit=500000, action="Reject"),
    "rules-partial.conf": "SecResponseBodyLimitAction ProcessPartial\n",
    "rules-watch.conf": RULES.format(engine="DetectionOnly", limit=500000, action="ProcessPartial"),
    "www/page.html": "<p>page</p>" * 50, "www/leak.html": "SECRET-LEAK", "www/403.html": "sorry for the trouble" * 500,
    "www/ssi.html": '<!--#include virtual="/files/half.html" -->LEAK', "www/half.html": "SECRET-",
    "www/fine.html": '<p><!--#include virtual="/files/page.html" --></p>',
    "www/nested.html": '<!--#include virtual="/page/fine.html" --><!--#include virtual="/leak-chunked" -->'
                       '<!--#include virtual="/files/page.html" -->tail',
    "www/long.html": '<!--#include virtual="/early-leak" --><!--#include virtual="/files/page.html" -->tail',
    "www/long-leak.html": "SECRET-LEAK" + "x" * 2000000, "www/long.html": "x" * 2000000,
    "www/large.bin": os.urandom(300000)})
gate.configure(CONFIG.format(folder=gate.folder, origin=origin.port, h1=H1, h2=H2)
               .replace("default_type", "#") + "types { text/html html; application/octet-stream bin; }")
gate.start()


def get(path, *arguments, http2=False, **more):
    return curl(f"http://127.0.0.1:{H2 if http2 else H1}{path}", *arguments, http2=http2, **more)


def blocked(reply, page=b"403 Forbidden"):
    assert reply.status == 403, reply
    assert page in reply.body and b"SECRET" not in reply.body, reply
    for name in ("etag", "last-modified", "accept-ranges", "x-inner", "content-range"):
        assert name not in reply.headers or (page != b"403 Forbidden" and name != "x-inner"), (name, reply)
    if "content-length" in reply.headers:
        assert int(reply.headers["content-length"]) == len(reply.body), reply


@case("a fine page passes with its headers", both=True)
def _(http2):
    reply = get("/fine", http2=http2)
    assert reply.status == 200 and reply.body == b"a fine page " * 10, reply
    assert reply.headers["etag"] and reply.headers["last-modified"] and reply.headers["content-length"] == "120", reply


@case("a blocked page is replaced whole, with none of its headers", both=True)
def _(http2):
    for path in ("/leak", "/leak-chunked", "/nobuf/leak", "/nobuf/leak-chunked", "/files/leak.html"):
        blocked(get(path, http2=http2))
    assert gate.logged("guia: request denied with status 403 by rule 40")


@case("error_page stands in for a blocked page", both=True)
def _(http2):
    for path in ("/sorry/leak", "/sorry/leak-chunked"):
        reply = get(path, http2=http2)
        blocked(reply, b"sorry for the trouble")
        assert len(reply.body) == len("sorry for the trouble") * 500, len(reply.body)


@case("error_page may come from the origin", both=True)
def _(http2):
    for path in ("/excuse/298", "/excuse/leak", "/excuse/leak-chunked", "/excuse/nobuf/leak", "/excuse/nobuf/leak-chunked",
                 "/excuse/files/leak.html"):
        reply = get(path, http2=http2)
        assert reply.status == 403 and reply.body == b"we are truly sorry" * 5000, (path, reply, len(reply.body))


@case("phase 3 denies and redirects, phase 4 redirects and drops", both=True)
def _(http2):
    assert get("/299", http2=http2).status == 502
    assert get("/298", http2=http2).status == 403
    reply = get("/go", http2=http2)
    assert reply.status == 302 and reply.headers["location"] == "http://example.org/sorry", reply
    assert b"GO-AWAY" not in reply.body
    assert get("/hang", http2=http2).status == 0


@case("types that are not inspected pass", both=True)
def _(http2):
    assert get("/leak-octets", http2=http2).body == b"SECRET-LEAK"


def first_bytes(path, http2):
    """What curl shows before the origin goes on, and the whole."""
    release.clear()
    run = subprocess.Popen(["curl", "-sSN", "--http2-prior-knowledge" if http2 else "--http1.1",
                            f"http://127.0.0.1:{H2 if http2 else H1}{path}"], stdout=subprocess.PIPE)
    os.set_blocking(run.stdout.fileno(), False)
    try:
        got = wait_until(run.stdout.read, "the first event")
    finally:
        release.set()
    os.set_blocking(run.stdout.fileno(), True)
    rest = run.stdout.read()
    run.wait(60)
    return got, got + rest


@case("server-sent events and downloads pass as they come", both=True)
def _(http2):
    for path in ("/nobuf/events", "/nobuf/octets", "/events"):
        first, whole = first_bytes(path, http2)
        assert first == b"data: one\n\n", first
        assert whole == b"data: one\n\ndata: two\n\n", whole


@case("DetectionOnly delays nothing, and finds", both=True)
def _(http2):
    first, whole = first_bytes("/watch/slow", http2)
    assert first == b"data: one\n\n" and whole.endswith(b"data: two\n\n"), whole
    before = len([l for l in gate.log_lines("error.log") if '[id "40"]' in l and "/watch/leak" in l])
    assert get("/watch/leak", http2=http2).body.endswith(b"SECRET-LEAK")
    wait_until(lambda: len([l for l in gate.log_lines("error.log") if '[id "40"]' in l and "/watch/leak" in l]) > before,
               "the match")
    assert [l for l in gate.log_lines("access.log") if "verdict=would-block" in l]


@case("where a rule could block, nothing is sent before the verdict", both=True)
def _(http2):
    release.clear()
    run = subprocess.Popen(["curl", "-sSN", "--http2-prior-knowledge" if http2 else "--http1.1", "-i",
                            f"http://127.0.0.1:{H2 if http2 else H1}/nobuf/slow"], stdout=subprocess.PIPE)
    os.set_blocking(run.stdout.fileno(), False)
    time.sleep(0.5)
    early = run.stdout.read()
    release.set()
    os.set_blocking(run.stdout.fileno(), True)
    whole = run.stdout.read()
    run.wait(60)
    assert not early, early
    assert whole.endswith(b"data: one\n\ndata: two\n\n"), whole


@case("over the limit, Reject refuses and ProcessPartial inspects the beginning", both=True)
def _(http2):
    size = 16 * 4096 * 40
    assert get("/big", http2=http2).status >= 400
    reply = get("/partial/big", http2=http2)
    assert reply.status == 200 and reply.body == b"0123456789abcdef" * 4096 * 40, (reply.status, len(reply.body))
    assert len(get("/partial/late-leak", http2=http2).body) == size + 11
    blocked(get("/partial/early-leak", http2=http2))


@case("HEAD, 204, 304 and empty pages pass", both=True)
def _(http2):
    reply = get("/leak", "-I", http2=http2)
    assert reply.status == 200 and reply.headers["content-length"] == "1011", reply
    assert get("/204", http2=http2).status == 204
    tag = get("/files/page.html", http2=http2).headers["etag"]
    assert get("/files/page.html", "-H", f"If-None-Match: {tag}", http2=http2).status == 304
    reply = get("/empty", http2=http2)
    assert reply.status == 200 and reply.body == b"", reply


@case("ranges are refused for inspected types, and served for others", both=True)
def _(http2):
    blocked(get("/files/leak.html", "-r", "0-5", http2=http2))
    reply = get("/files/page.html", "-r", "0-5", http2=http2)
    assert reply.status == 200 and "accept-ranges" not in reply.headers, reply
    assert get("/ranged", "-r", "3-10", http2=http2).status == 416
    reply = get("/files/large.bin", "-r", "0-5", http2=http2)
    assert reply.status == 206 and len(reply.body) == 6, reply


@case("what is compressed is compressed after inspection", both=True)
def _(http2):
    for path in ("/fine", "/files/page.html"):
        reply = get(path, "-H", "Accept-Encoding: gzip", http2=http2)
        assert reply.headers.get("content-encoding") == "gzip", reply
        assert gzip.decompress(reply.body).startswith((b"a fine page", b"<p>page</p>")), reply
    blocked(get("/files/leak.html", "--compressed", http2=http2))


@case("subrequests' output is inspected in its place in the page", both=True)
def _(http2):
    blocked(get("/page/ssi.html", http2=http2))
    blocked(get("/page/nested.html", http2=http2))
    assert get("/page/long.html", http2=http2).status >= 400
    assert get("/page/fine.html", http2=http2).body == b"<p>" + b"<p>page</p>" * 50 + b"</p>"


@case("files that threads read are held, replaced and passed as others", both=True)
def _(http2):
    for _ in range(5):
        blocked(get("/threads/long-leak.html", http2=http2))
        blocked(get("/threads/leak.html", http2=http2))
        reply = get("/threads/long.html", http2=http2)
        assert reply.status == 200 and reply.body == b"x" * 2000000, (reply.status, len(reply.body))


@case("an origin that dies in the middle gives 502, not half a page", both=True)
def _(http2):
    for path in ("/short", "/nobuf/short"):
        reply = get(path, http2=http2)
        assert reply.status == 502 and b"only this" not in reply.body, (path, reply)


@case("cached pages are inspected on the way out", both=True)
def _(http2):
    first = get(f"/cached/fine?{http2}", http2=http2)
    again = get(f"/cached/fine?{http2}", http2=http2)
    assert first.status == again.status == 200 and again.headers["x-cache"] == "HIT", again
    assert again.body == first.body


@case("a blocked page is not kept in the cache", both=True)
def _(http2):
    for page in ("counted", "counted-chunked"):
        origin.server.counts.clear()
        blocked(get(f"/cached/{page}", http2=http2))
        assert origin.server.counts[f"/{page}"] == 1
        reply = get(f"/cached/{page}", http2=http2)
        assert reply.status == 200 and b"clea" in reply.body and reply.headers["x-cache"] != "HIT", reply
        assert get(f"/cached/{page}", http2=http2).headers["x-cache"] == "HIT"
        subprocess.run(["find", str(gate.folder / "cache"), "-type", "f", "-delete"], check=True)


@case("a client that leaves while its page is held does no harm")
def _():
    release.clear()
    with socket.create_connection(("127.0.0.1", H1)) as s:
        s.sendall(b"GET /nobuf/slow HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.2)
    release.set()
    assert get("/fine").status == 200


BLOCKED_THEN_FINE = ("/leak", "/nobuf/leak-chunked", "/298", "/files/leak.html", "/fine")


@case("after a blocked page the connection serves on (HTTP/1.1)")
def _():
    words = [w for path in BLOCKED_THEN_FINE for w in ("-o", "/dev/null", f"http://127.0.0.1:{H1}{path}")]
    done = subprocess.run(["curl", "-sS", "-w", "%{http_code}/%{num_connects} ", *words], capture_output=True, text=True,
                          check=False)
    assert done.stdout.split() == ["403/1", "403/0", "403/0", "403/0", "200/0"], done


@case("after a blocked page the connection serves on (HTTP/2)")
def _():
    # curl 7.88 cannot use such a connection twice
    done = subprocess.run(["nghttp", "-nv", "--no-dep", *(f"http://127.0.0.1:{H2}{p}" for p in BLOCKED_THEN_FINE)],
                          capture_output=True, text=True, check=False, timeout=300)
    statuses = sorted(line.split(":status: ")[1] for line in done.stdout.splitlines() if ":status: " in line)
    assert statuses == ["200", "403", "403", "403", "403"], done.stdout
    assert "RST_STREAM" not in done.stdout, done.stdout


@case("a slow client gets the whole of the page in a blocked one's place")
def _():
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        s.connect(("127.0.0.1", H1))
        s.sendall(b"GET /excuse/leak HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        time.sleep(0.3)
        got = b""
        while piece := s.recv(512):
            got += piece
    assert got.startswith(b"HTTP/1.1 403") and got.endswith(b"we are truly sorry" * 5000), got[:300]


@case("HEAD is denied by phase 3 as GET is", both=True)
def _(http2):
    reply = get("/298", "-I", http2=http2)
    assert reply.status == 403 and b"<html" not in reply.body, reply


@case("an answer that the origin compressed is told in the error log")
def _():
    assert get("/encoded", "-H", "Accept-Encoding: gzip").headers["content-encoding"] == "gzip"
    assert gate.logged("is compressed by the origin")


@case("nothing alarming was logged")
def _():
    bad = [l for l in gate.log_lines("error.log") if "[alert]" in l or "[emerg]" in l or "[crit]" in l]
    assert not bad, bad[:5]


if __name__ == "__main__":
    main()
