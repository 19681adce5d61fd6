"""What nginx keeps in its caches: never a page that was blocked, not for a moment, however it came; and what passed."""
import ctypes
import os
import socket
import struct
import subprocess
import sys
import threading
import time

from harness import Gate, Origin, case, curl, free_port, main, wait_until

RULES = """
SecRuleEngine {engine}
SecResponseBodyAccess On
SecResponseBodyMimeType text/html
SecResponseBodyLimit 3000000
SecAuditEngine On
SecAuditLogFormat JSON
SecAuditLogParts ABHZ
SecAuditLog {audit}
SecAction "id:1,phase:1,pass,nolog,initcol:ip=%{{REMOTE_ADDR}},setvar:ip.hits=+1"
SecRule RESPONSE_BODY "@contains SECRET-LEAK" "id:40,phase:4,deny,status:403,log,t:none"
SecRule RESPONSE_HEADERS:X-Bad "@streq yes" "id:30,phase:3,deny,status:403,log,t:none"
"""

CONFIG = """
guia_collections 1m;
aio_write on;
proxy_cache_path {folder}/cache keys_zone=pages:1m inactive=1h use_temp_path={temp};
proxy_http_version 1.1;
proxy_cache_key $uri$slice_range;
proxy_cache_valid 200 206 1h;
proxy_cache_lock on; proxy_cache_lock_age 60s; proxy_cache_lock_timeout 60s;
proxy_ignore_headers Cache-Control Expires;
add_header X-Cache $upstream_cache_status always;
server {{
    listen 127.0.0.1:{h1};
    listen 127.0.0.1:{h2} http2;
    guia on;
    guia_rules rules.conf;
    location / {{ proxy_cache pages; proxy_pass http://127.0.0.1:{origin}; proxy_set_header Connection ""; }}
    location /nobuf/ {{ proxy_cache pages; proxy_buffering off; proxy_pass http://127.0.0.1:{origin}/; }}
    location /small/ {{ proxy_cache pages; proxy_buffers 2 4k; proxy_busy_buffers_size 4k; proxy_buffer_size 4k;
                        proxy_pass http://127.0.0.1:{origin}/; }}
    location /gathered/ {{ proxy_cache pages; sub_filter SECRET SECRET; sub_filter_once off;
                           proxy_pass http://127.0.0.1:{origin}/; }}
    location /threads/ {{ proxy_cache pages; aio threads; sendfile off; output_buffers 2 4k;
                          proxy_pass http://127.0.0.1:{origin}/; }}
    location /bypass/ {{ proxy_cache pages; proxy_cache_bypass 1; proxy_pass http://127.0.0.1:{origin}/; }}
    location /page/ {{ ssi on; alias {folder}/www/; }}
    location /slice/ {{ slice 64k; proxy_set_header Range $slice_range; proxy_cache pages;
                        proxy_pass http://127.0.0.1:{origin}/; }}
    location /again/ {{ proxy_cache pages; proxy_cache_valid 200 1s; proxy_cache_revalidate on;
                        proxy_cache_use_stale updating error; proxy_pass http://127.0.0.1:{origin}/; }}
    location /behind/ {{ proxy_cache pages; proxy_cache_valid 200 1s; proxy_cache_use_stale updating error;
                         proxy_cache_background_update on; proxy_pass http://127.0.0.1:{origin}/; }}
    location /watched/ {{ guia_rules none watch.conf; proxy_cache pages; proxy_pass http://127.0.0.1:{origin}/; }}
}}
"""

LEAK = b"a page with a SECRET-LEAK in it"
FINE = b"a page without anything in it.."
release = threading.Event()
pages = {}  # path -> body, of what changes
chosen = []  # paths of what changes, once it is settled which body is sent


def body_of(handler):
    text = FINE if "fine" in handler.path else LEAK
    return text if "long" not in handler.path else b"0123456789abcdef" * 16000 + text


def with_length(handler):
    handler.send(200, body_of(handler))


def chunked(handler):
    handler.send_chunked([body_of(handler)[:10], body_of(handler)[10:]])


def chunked_late_end(handler):
    """The last chunk, of no bytes, comes by itself."""
    body = body_of(handler)
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"%x\r\n%s\r\n" % (len(body), body))
    handler.wfile.flush()
    time.sleep(0.05)
    handler.wfile.write(b"0\r\n\r\n")


def closed(handler, pause=0.0):
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(body_of(handler))
    handler.wfile.flush()
    time.sleep(pause)
    handler.close_connection = True


def bad_header(handler):
    handler.send(200, FINE, X_Bad="yes")


def waits(handler):
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    body = body_of(handler)
    handler.wfile.write(b"%x\r\n%s\r\n" % (len(body), body))
    handler.wfile.flush()
    release.wait(120)
    handler.wfile.write(b"0\r\n\r\n")


def changing(handler):
    path = handler.path.split("?")[0]
    body = pages.get(path, FINE)
    chosen.append(path)
    tag = '"%d"' % (hash(body) % 1000)
    if handler.headers.get("If-None-Match") == tag:
        handler.send_response(304)
        handler.send_header("ETag", tag)
        handler.end_headers()
        return None
    return handler.send(200, body, ETag=tag) if "chunked" not in path else handler.send_chunked([body])


def sliced(handler):
    whole = body_of(handler)
    first, last = handler.headers["Range"].partition("=")[2].split("-")
    part = whole[int(first):int(last) + 1]
    handler.send(206, part, Content_Range=f"bytes {first}-{int(first) + len(part) - 1}/{len(whole)}", ETag='"one"')


WAYS = {"length": with_length, "chunked": chunked, "late": chunked_late_end, "close": closed,
        "close-late": lambda h: closed(h, 0.05)}
origin = Origin({f"/{way}-{kind}": function for way, function in WAYS.items()
                 for kind in ("leak", "fine", "long-leak", "long-fine")} |
                {"/bad": bad_header, "/waits-leak": waits, "/waits-fine": waits, "/sliced-long-leak": sliced,
                 "/sliced-long-fine": sliced, "/down": lambda h: h.send(200, FINE),
                 "/half-a": lambda h: h.send_chunked([b"SECRET-"]), "/half-b": lambda h: h.send_chunked([b"LEAK"]),
                 "/half-c": lambda h: h.send_chunked([b"fine"])})
for name in ("a", "b", "c", "chunked-a", "chunked-b", "chunked-c", "d"):
    origin.pages[f"/change-{name}"] = changing


class Watch:
    """The names that files are given in a folder by rename: what nginx stores. inotify(7)."""
    MOVED_TO = 0x80

    def __init__(self, folder):
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init1(os.O_NONBLOCK)
        assert self.fd >= 0 and libc.inotify_add_watch(self.fd, os.fsencode(folder), self.MOVED_TO) >= 0

    def stored(self):
        try:
            data = os.read(self.fd, 65536)
        except BlockingIOError:
            return []
        names, at = [], 0
        while at < len(data):
            size = struct.unpack_from("iIII", data, at)[3]
            names.append(data[at + 16:at + 16 + size].rstrip(b"\0").decode())
            at += 16 + size
        return names


class Setting:
    def __init__(self, temp, broken_read=None):
        self.h1, self.h2 = free_port(), free_port()
        self.gate = Gate("", start=False, workers=2, files={
            "www/halves.html": '<!--#include virtual="/half-a" --><!--#include virtual="/half-b" -->',
            "www/fine.html": '<!--#include virtual="/half-c" --><!--#include virtual="/length-fine" -->'})
        self.gate.write("rules.conf", RULES.format(engine="On", audit=self.gate.folder / "audit.log"))
        self.gate.write("watch.conf", RULES.format(engine="DetectionOnly", audit=self.gate.folder / "audit.log"))
        self.gate.configure(CONFIG.format(folder=self.gate.folder, origin=origin.port, h1=self.h1, h2=self.h2, temp=temp))
        self.broken = self.gate.folder / "broken"
        self.gate.start(["env", f"LD_PRELOAD={broken_read}", f"GUIA_BROKEN_READ={self.broken}"] if broken_read else ())
        self.cache = self.gate.folder / "cache"
        self.watch = Watch(self.cache)

    def get(self, path, *arguments, http2=False):
        return curl(f"http://127.0.0.1:{self.h2 if http2 else self.h1}{path}", *arguments, http2=http2)

    def stores(self, count, what):
        """Waits for so many files, and sees that it is no more of them."""
        names = []
        wait_until(lambda: names.extend(self.watch.stored()) or len(names) >= count, what, seen=lambda: names)
        assert len(names) == count, (what, names)

    def files(self):
        found = {}
        for path in self.cache.iterdir():
            try:
                found[path.name] = path.read_bytes()
            except FileNotFoundError:
                pass
        return found

    def nothing_stored(self, what):
        assert not self.watch.stored(), what
        leaking = [name for name, text in self.files().items() if b"SECRET-LEAK" in text]
        assert not leaking, (what, leaking)

    def kept(self, path, http2=False):
        """Fetched, stored once, and answered from the copy."""
        first = self.get(path, http2=http2)
        assert first.status == 200 and first.headers["x-cache"] in ("MISS", "BYPASS"), (path, first)
        wait_until(self.watch.stored, f"the copy of {path}")
        again = self.get(path, http2=http2)
        assert again.body == first.body and again.headers["x-cache"] in ("HIT", "BYPASS"), (path, again)
        self.empty()

    def empty(self):
        for path in self.cache.iterdir():
            path.unlink(missing_ok=True)
        self.watch.stored()


apart, beside = Setting("on"), Setting("off")


@case("a blocked page is never stored, however it ends", both=True)
def _(http2):
    for setting in (apart, beside):
        for way in WAYS:
            for place in ("", "/nobuf", "/small", "/gathered", "/threads", "/bypass"):
                for kind in ("leak", "long-leak"):
                    path = f"{place}/{way}-{kind}"
                    reply = setting.get(path, http2=http2)
                    assert reply.status == 403 and b"SECRET" not in reply.body, (path, reply)
                    setting.nothing_stored(path)
        assert setting.get("/bad", http2=http2).status == 403
        setting.nothing_stored("/bad")


@case("a page that passes is stored, and answered from the copy", both=True)
def _(http2):
    for setting in (apart, beside):
        for way in WAYS:
            for place in ("", "/small", "/gathered", "/threads", "/bypass"):
                for kind in ("fine", "long-fine"):
                    setting.kept(f"{place}/{way}-{kind}", http2)


@case("while a page waits for its verdict it is in no cache")
def _():
    for page, status in (("/waits-leak", 403), ("/waits-fine", 200)):
        release.clear()
        run = subprocess.Popen(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}",
                                f"http://127.0.0.1:{apart.h1}{page}"], stdout=subprocess.PIPE, text=True)
        time.sleep(0.4)
        apart.nothing_stored(page)
        assert not apart.files(), "with a folder of their own, temporary files are not in the cache's"
        release.set()
        assert run.communicate(timeout=300)[0] == str(status)
        if status == 403:
            apart.nothing_stored(page)
    wait_until(apart.watch.stored, "the copy")
    apart.empty()


@case("who waits for a page under proxy_cache_lock gets it, or fetches for himself")
def _():
    for page, status in (("/late-leak", 403), ("/late-fine", 200)):
        runs = [subprocess.Popen(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-m", "60",
                                  f"http://127.0.0.1:{apart.h1}{page}"], stdout=subprocess.PIPE, text=True)
                for _ in range(4)]
        assert [run.communicate(timeout=300)[0] for run in runs] == [str(status)] * 4
        if status == 403:
            apart.nothing_stored(page)
    apart.stores(1, "the copy of what one of them fetched for all")
    apart.empty()


@case("HEAD leaves nothing unjudged in the cache", both=True)
def _(http2):
    for way in WAYS:
        assert apart.get(f"/{way}-leak", "-I", http2=http2).status == 200
        apart.nothing_stored(way)


@case("a client that leaves takes the copy with it")
def _():
    def temporary():
        return list((apart.gate.folder / "temp-proxy").rglob("0*[0-9][0-9][0-9]"))
    release.clear()
    with socket.create_connection(("127.0.0.1", apart.h1)) as s:
        s.sendall(b"GET /waits-leak HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_until(temporary, "the temporary file")
    release.set()
    wait_until(lambda: not temporary(), "the end of temporary files", seen=temporary)
    apart.nothing_stored("/waits-leak")


@case("parts of a page are stored with the page, or not at all", both=True)
def _(http2):
    assert apart.get("/page/halves.html", http2=http2).status == 403
    apart.nothing_stored("halves")
    assert apart.get("/page/fine.html", http2=http2).status == 200
    apart.stores(2, "the parts")
    apart.empty()
    assert apart.get("/slice/sliced-long-leak", http2=http2).status == 403
    apart.nothing_stored("slices")
    reply = apart.get("/slice/sliced-long-fine", http2=http2)
    assert reply.status == 200 and reply.body.endswith(FINE), (reply.status, len(reply.body))
    apart.stores(4, "the slices")
    apart.empty()


@case("the copy stays when the origin's new page is blocked, and is revalidated", both=True)
def _(http2):
    name = "/change-a" if http2 else "/change-b"
    pages[name] = FINE
    assert apart.get(f"/again{name}", http2=http2).status == 200
    wait_until(apart.watch.stored, "the copy")
    time.sleep(2.1)
    reply = apart.get(f"/again{name}", http2=http2)
    assert reply.body == FINE and reply.headers["x-cache"] == "REVALIDATED", reply
    time.sleep(2.1)
    pages[name] = LEAK
    assert apart.get(f"/again{name}", http2=http2).status == 403
    apart.nothing_stored(name)
    assert [text for text in apart.files().values() if FINE in text], "the good copy"
    apart.empty()


@case("a background update is judged before it is kept", both=True)
def _(http2):
    for name in ("/change-c", "/change-chunked-c"):
        apart.empty()
        pages[name] = FINE

        def records(uri=f"/behind{name}"):
            return [r for r in apart.gate.audit() if r["transaction"]["request"]["uri"] == uri]
        before = len(records())
        assert apart.get(f"/behind{name}", http2=http2).status == 200
        wait_until(apart.watch.stored, "the copy")
        time.sleep(2.1)
        pages[name] = LEAK
        asked = chosen.count(name)
        reply = apart.get(f"/behind{name}", http2=http2)
        assert reply.body == FINE and reply.headers["x-cache"] == "STALE", reply
        wait_until(lambda: chosen.count(name) > asked, "the update")
        time.sleep(0.2)
        apart.nothing_stored(name)
        pages[name] = FINE + b"newer"
        visits = []

        def visit(name=name, visits=visits):  # the update that was judged may not have ended: then this begins none
            visits.append(apart.get(f"/behind{name}", http2=http2).body)
            return apart.watch.stored()
        wait_until(visit, "the new copy")
        assert set(visits) <= {FINE, FINE + b"newer"} and visits[0] == FINE
        assert apart.get(f"/behind{name}", http2=http2).body == FINE + b"newer"
        count = before + 3 + len(visits)
        wait_until(lambda records=records, count=count: len(records()) >= count, "the records")
        assert len(records()) == count, ("a background update leaves no record of its own", records()[before:])
        apart.empty()


@case("a background update that cannot be read whole is not kept, and told")
def _():
    name, damaged = "/change-d", Setting("on", sys.argv[2])
    for order, told in (("error", "cannot be read"), ("short", "ends too soon")):
        pages[name] = FINE
        assert damaged.get(f"/behind{name}").status == 200
        wait_until(damaged.watch.stored, "the copy")
        time.sleep(2.1)
        pages[name] = b"0123456789abcdef" * 16000 + LEAK
        damaged.broken.write_text(order)
        reply = damaged.get(f"/behind{name}")
        assert reply.body == FINE and reply.headers["x-cache"] == "STALE", reply
        assert damaged.gate.logged(told), order
        damaged.nothing_stored(order)
        damaged.broken.unlink()
        damaged.empty()


@case("a copy that newer rules block is deleted")
def _():
    assert apart.get("/watched/length-leak").status == 200
    wait_until(apart.watch.stored, "the copy that detection lets pass")
    apart.gate.write("watch.conf", RULES.format(engine="On", audit=apart.gate.folder / "audit.log"))
    apart.gate.reload()
    wait_until(lambda: apart.get("/watched/length-leak").status == 403, "the new rules")
    apart.nothing_stored("the copy")
    assert apart.get("/watched/length-leak").headers["x-cache"] == "MISS"


@case("nothing alarming was logged")
def _():
    for setting in (apart, beside):
        bad = [l for l in setting.gate.log_lines("error.log") if "[alert]" in l or "[emerg]" in l or "[crit]" in l]
        assert not bad, bad[:5]


if __name__ == "__main__":
    main()
