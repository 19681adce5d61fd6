"""guia serve from start to end: the life of a run, reload, last good copies, no orphans. TAP."""
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import stat
import subprocess
import time

from harness import FOLDER, GUIA, PATIENCE, TOGETHER, Origin, Serve, alive, case, free_port, guia, main, site, wait_for, write
from notify import Manager
import processes


DRAIN_SECONDS = 10


@case
def what_is_in_the_way_is_told():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        err = guia("serve", "--listen", f"127.0.0.1:{taken.getsockname()[1]}", "--site", "a.test=http://127.0.0.1:1", code=3)
        assert "another program uses this port" in err, err
    public = FOLDER / "public"
    public.mkdir(mode=0o755)
    common = ("--listen", f"127.0.0.1:{free_port()}", "--site", "a.test=http://127.0.0.1:1")
    assert "chmod 700" in guia("serve", *common, "--run-dir", str(public), code=3)
    assert "No such file" in guia("serve", *common, "--run-dir", "/nowhere/at/all", code=3)
    closed = FOLDER / "closed"
    closed.mkdir(mode=0o700)
    if os.geteuid() == 0:
        assert "may not pass" in guia("serve", *common, "--run-dir", str(closed / "run"), code=3)
    link = FOLDER / "link"
    link.symlink_to(public)
    assert "chmod 700" in guia("serve", *common, "--run-dir", str(link), code=3)


@case
def it_serves_blocks_and_knows_its_hosts():
    origin = Origin()
    with Serve(site(origin)) as gate:
        status, body, headers = gate.get("/", X_Forwarded_For="6.6.6.6", Accept_Encoding="gzip", Range="bytes=0-1")
        assert status == 200 and "page of everybody encoding None host a.test range None for 127.0.0.1" in body, body
        assert gate.get("/?q=evil")[0] == 403
        wait_for(lambda: '[id "100"]' in (gate.run / "error.log").read_text(), "the rule's line")
        with contextlib.suppress(http.client.RemoteDisconnected, ConnectionResetError):
            raise AssertionError(f"an unknown host was answered {gate.get('/', host='b.test')[0]}")
        for path in [gate.run, *gate.run.rglob("*"), gate.run.parent]:
            assert not path.lstat().st_mode & 0o077 or path == gate.run.parent, path
        assert stat.S_IMODE(gate.run.stat().st_mode) == 0o700
        second = subprocess.run([GUIA, "serve", "-c", gate.config, "--listen", f"127.0.0.1:{free_port()}"],
                                capture_output=True, check=False, timeout=300)
        assert second.returncode == 3 and b"another guia" in second.stderr, second
        wait_for(lambda: len(gate.nginx_pids()) >= 3, "the master and its workers", seen=gate.nginx_pids)
        pids = gate.nginx_pids()
        assert gate.end() == 0 and not alive(pids)
    origin.stop()


@case
def each_request_leaves_a_line_and_only_what_matters_a_record():
    origin = Origin()
    with Serve(site(origin)) as gate:
        with contextlib.suppress(http.client.RemoteDisconnected, ConnectionResetError):
            gate.get("/here?password=s3cret&x=1", host="other.test")
        assert gate.get("/?q=evil")[0] == 403 and gate.get("/missing")[0] == 404
        origin.stop()
        assert gate.get("/down")[0] == 503
        raw = socket.create_connection(("127.0.0.1", gate.port))
        raw.sendall(b"GET /two HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\n\r\n")
        assert b"400" in raw.recv(100)
        raw.close()

        def whole_lines():
            """But those of the watch. Each worker writes its own, and not at once."""
            return [l for l in map(json.loads, gate.lines("access.log")) if l["uri"] != "/"]
        wait_for(lambda: len(whole_lines()) >= 5, "lines")
        lines = whole_lines()
        assert sorted((l["host"], l["uri"], l["status"], l["verdict"]) for l in lines) == [
            ("a.test", "/?q=evil", 403, "block"), ("a.test", "/down", 503, "pass"), ("a.test", "/missing", 404, "pass"),
            ("a.test", "/two", 400, ""), ("other.test", "/here?password=[redacted]&x=1", 444, "")], lines
        wait_for(lambda: len(gate.lines("audit.log")) >= 2, "records")
        records = [json.loads(line)["transaction"] for line in gate.lines("audit.log")]
        assert sorted(r["response"]["http_code"] for r in records) == [400, 403], records
        assert {r["unique_id"] for r in records} == {l["id"] for l in lines if l["status"] in (403, 400)}


@case
def the_last_good_copy_leaks_nothing():
    origin = Origin()
    with Serve(site(origin)) as gate:
        assert gate.get("/")[0] == 200
        for user in ("ana", "bento"):
            assert gate.get(f"/login-{user}")[0] == 200
            assert user in gate.get("/account", Cookie=f"sid={user}")[1]
            assert user in gate.get("/token", Authorization=f"Bearer {user}")[1]
        for header in ("Cache-Control=private,max-age=99", "Cache-Control=no-store", "Vary=Cookie", "Vary=*", "Set-Cookie=a"):
            assert gate.get(f"/header/{header}")[0] == 200
        assert gate.get("/missing")[0] == 404 and gate.get("/?q=evil")[0] == 403
        time.sleep(1.2)
        origin.stop()
        status, body, _ = gate.get("/")
        assert status == 200 and "everybody" in body, (status, body)
        asked = gate.get("/", Cookie="sid=ana")
        assert asked[1] == body, (asked, body)
        assert gate.get("/?q=evil")[0] == 403
        for path in ("/account", "/token", "/login-ana", "/missing", "/header/Cache-Control=no-store",
                     "/header/Cache-Control=private,max-age=99", "/header/Vary=Cookie", "/header/Vary=*",
                     "/header/Set-Cookie=a"):
            for headers in ({}, {"Cookie": "sid=ana"}, {"Cookie": "sid=bento"}, {"Authorization": "Bearer ana"}):
                status, body, answered = gate.get(path, **headers)
                assert status == 503 and "ana" not in body.replace("banana", "") and "bento" not in body, (path, headers, body)
                assert answered["Cache-Control"] == "no-store" and "Servi\u00e7o" in body and "\u670d\u52d9" in body \
                    and "temporarily unavailable" in body


@case
def who_asks_for_a_page_that_may_not_be_kept_does_not_wait_for_others():
    origin = Origin()
    with Serve(site(origin)) as gate, concurrent.futures.ThreadPoolExecutor(TOGETHER) as pool:
        for _ in range(3):
            answers = list(pool.map(lambda _: gate.get("/together")[0], range(TOGETHER)))
            assert answers == [200] * TOGETHER, answers
        # With a lock they would be let go after its timeout, so no answer tells.
        assert "proxy_cache_lock" not in (gate.run / "nginx.conf").read_text()
    origin.stop()


def bytes_of(path):
    """b"": it is no more, as temporary files are soon, or no file."""
    with contextlib.suppress(OSError):
        return path.read_bytes()
    return b""


@case
def a_blocked_page_is_never_among_the_copies():
    origin = Origin()
    with Serve(site(origin)) as gate:
        place = pathlib.Path(str(gate.run) + ".workers") if os.geteuid() == 0 else gate.run / "workers"

        def copies():
            """All but that of the first page, which the watch fetches."""
            return [f for f in (place / "copies").rglob("*") if (held := bytes_of(f)) and b"KEY: http:a.test:a.test/\n" not in held]
        for path in ("/leak", "/leak-chunked"):
            for method in ("GET", "HEAD", "GET"):
                status = gate.curl(f"http://127.0.0.1:PORT{path}", "-H", "Host: a.test", *(["-I"] if method == "HEAD" else []))[0]
                assert status == (200 if method == "HEAD" else 403), (path, method, status)
                assert not copies(), path
        assert gate.get("/fine")[0] == 200
        wait_for(copies, "the copy of a page that passed")
        assert not [f for f in place.rglob("*") if b"SECRET-LEAK" in bytes_of(f)]
    origin.stop()


@case
def nobody_else_decides_what_a_copy_holds():
    origin = Origin()
    tricks = [{name: "poison"} for name in (
        "X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Host", "X-Forwarded-Server", "X-Forwarded-Prefix", "X-Forwarded-Port",
        "Forwarded", "X-Host", "X-HTTP-Method-Override", "X-Method-Override", "Range", "If-Range")]
    kept_out = [{"Cookie": "lang=poison"}, {"Cookie": "_ga=1; theme=poison"}, {"X-Api-Key": "poison"},
                {"X-Auth-Token": "poison"}, {"Proxy-Authorization": "poison"}]
    with Serve(site(origin)) as gate:
        for number, headers in enumerate(tricks + kept_out):
            assert gate.get(f"/echo?{number}", **headers)[0] == 200, headers
        for words in ((), ("-H", "Transfer-Encoding: chunked"), ("--http2-prior-knowledge",)):
            status, body, _ = gate.curl("http://a.test:PORT/echo?body", "-X", "GET", "--data", "poison",
                                        "--resolve", f"a.test:{gate.port}:127.0.0.1", *words)
            assert words[:1] == ("--http2-prior-knowledge",) or (status == 200 and "poison" in body), (words, status, body)
        assert "poison" not in gate.get("/echo?none", X_Original_URL="poison")[1]
        time.sleep(1.2)
        origin.stop()
        for number, headers in enumerate(tricks + kept_out):
            status, body, _ = gate.get(f"/echo?{number}")
            assert status == (200 if number < len(tricks) else 503) and "poison" not in body, (headers, status, body)
        assert gate.get("/echo?body")[0] == 503


@case
def only_websockets_are_tunnels():
    origin = Origin()
    with Serve(site(origin)) as gate:
        for word in ("h2c", "h2c, websocket", "TLS/1.0", "foo"):
            status, body, _ = gate.get("/echo", Connection="Upgrade, HTTP2-Settings", Upgrade=word, HTTP2_Settings="AAMAAABk")
            assert status == 200 and "upgrade" not in body.lower(), (word, status, body)
        assert "Upgrade: websocket" in gate.get("/echo", Connection="Upgrade", Upgrade="WebSocket")[1]
    origin.stop()


@case
def what_is_refused_before_the_site_is_known_is_recorded():
    origin = Origin()
    with Serve(site(origin)) as gate:
        asked = []

        def ask(data):
            asked.append(data)
            with socket.create_connection(("127.0.0.1", gate.port), 60) as client, contextlib.suppress(ConnectionResetError, BrokenPipeError):
                client.sendall(data)
                return client.recv(1000)
            return b""

        def told(data):
            """The answer; one that came while there was more to send may be lost with the connection, and is asked for again."""
            return next(filter(None, (ask(data) for _ in range(100))))
        assert b" 400 " in told(b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n")
        assert b" 414 " in told(b"GET /" + b"a" * 40000 + b" HTTP/1.1\r\nHost: a.test\r\n\r\n")
        assert b" 400 " in told(b"GET / HTTP/1.1\r\nX: " + b"a" * 40000 + b"\r\n\r\n")
        assert ask(b"GET / HTTP/1.1\r\nHost: b.test\r\n\r\n") == b""

        def records():
            return [json.loads(line) for line in gate.lines("audit.log")]
        recorded = len(asked) - 1  # all but the last
        wait_for(lambda: len(records()) == recorded, "a record each")
        codes = [r["transaction"]["response"]["http_code"] for r in records()]
        uris = [data.split(b" ")[1] for data in asked[:recorded]]
        assert codes.count(414) == sum(len(uri) > 1 for uri in uris) and set(codes) - {494} == {400, 414}, codes
    origin.stop()


@case
def old_workers_end_after_a_reload_whoever_is_connected():
    origin = Origin()
    with Serve(site(origin), drain_seconds=DRAIN_SECONDS) as gate:
        def stream_goes_on():
            """-> whether it was looked at in time"""
            with socket.create_connection(("127.0.0.1", gate.port), 60) as client:
                client.sendall(b"GET /events HTTP/1.1\r\nHost: a.test\r\nAccept: text/event-stream\r\n\r\n")
                assert client.recv(100)
                old = {pid for pid in gate.nginx_pids() if "worker process" in processes.title(pid)}
                assert old
                began = time.monotonic()
                gate.change(site(origin))
                assert gate.get("/")[0] == 200
                goes_on, in_time = alive(old), time.monotonic() < began + DRAIN_SECONDS
                assert goes_on or not in_time, "the stream goes on for a while"
                wait_for(lambda: not alive(old), "the end of the old workers, drain_seconds later")
                assert gate.get("/")[0] == 200
                return in_time
        assert any(stream_goes_on() for _ in range(5)), "this machine was late each time"
    origin.stop()


@case
def event_streams_are_not_held_back():
    origin = Origin()
    with Serve(site(origin)) as gate, socket.create_connection(("127.0.0.1", gate.port), 60) as client:
        client.sendall(b"GET /events HTTP/1.1\r\nHost: a.test\r\nAccept: text/event-stream\r\n\r\n")
        seen = b""
        while b"data: one" not in seen:
            piece = client.recv(4096)
            assert piece, seen
            seen += piece
        origin.server.release.set()
    origin.stop()


@case
def a_reload_takes_the_good_and_keeps_out_the_bad():
    one, two = Origin(), Origin()
    with Serve(site(one)) as gate:
        gate.change("sites: [\n")
        assert "not taken" in gate.said() and gate.get("/")[0] == 200
        gate.change(site(one) + f"rules_before: {write('wrong.conf', 'SecNonsense on')}\n")
        assert "SecNonsense" in gate.said() and gate.get("/")[0] == 200
        gate.change(site(one, f"  - host: b.test\n    origin: http://127.0.0.1:{two.port}\n"))
        wait_for(lambda: two.server.seen or served(gate, "b.test"), "the second site")
        assert gate.get("/", host="a.test")[0] == 200
    one.stop()
    two.stop()


@case
def what_nginx_did_not_take_does_not_stay_in_its_place():
    """It would be taken later, at the next signal, though it was said that it is not."""
    origin = Origin()
    with Serve(site(origin)) as gate:
        place, master = gate.run / "nginx.conf", int((gate.run / "nginx.pid").read_text())
        before = place.read_text()
        os.kill(master, signal.SIGSTOP)
        pathlib.Path(gate.config).write_text(gate.text + site(origin).replace("a.test", "b.test"))
        gate.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "b.test" in place.read_text(), "the new one in place", seen=gate.said)
        gate.process.send_signal(signal.SIGTERM)
        wait_for(lambda: "not taken" in gate.said(), "word of it", seen=gate.said)
        os.kill(master, signal.SIGCONT)
        assert place.read_text() == before
        assert gate.end() == 0
    origin.stop()


def served(gate, host):
    with contextlib.suppress(OSError, http.client.HTTPException):
        return gate.get("/", host=host)[0] == 200
    return False


@case
def detect_only_counts():
    origin = Origin()
    with Serve(site(origin, "    detect: true\n")) as gate:
        assert gate.get("/?q=evil")[0] == 200 and gate.get("/x?q=evil")[0] == 200
        assert gate.end() == 0
        line = "detect: a.test would have blocked 2 requests: rule 100 in 2"
        assert line in gate.said() and line in (gate.run / "guia.log").read_text(), gate.said()
    origin.stop()


class Patient(Serve):
    """A run whose nginx begins only when it is let."""

    def __init__(self, text, env):
        folder, nginx = FOLDER / "patient", shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/local/nginx/sbin")
        folder.mkdir()
        self.begun, self.let = folder / "begun", folder / "let"
        (folder / "nginx").write_text(f"""#!/bin/sh
case " $* " in *" -t "*) exec {nginx} "$@" ;; esac
: > {self.begun}
while [ ! -e {self.let} ]; do sleep 0.05; done
exec {nginx} "$@"
""")
        (folder / "nginx").chmod(0o755)
        super().__init__(text, env={**env, "PATH": f"{folder}:{os.environ['PATH']}"})

    def start(self):
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *self.command], stderr=self.err.open("wb"), env=self.env)
        wait_for(self.begun.exists, "the start of nginx", seen=self.said)


@case
def a_gate_that_is_long_in_coming_up_is_not_said_to_be_ready():
    origin = Origin()
    with Manager(FOLDER / "patient.socket") as manager, \
            Patient(site(origin), {**os.environ, "NOTIFY_SOCKET": str(FOLDER / "patient.socket")}) as gate:
        # Each signal makes one of its waits short.
        while "is not up" not in gate.said():
            assert "serving" not in gate.said() and gate.process.poll() is None, gate.said()
            for _ in range(100):
                gate.process.send_signal(signal.SIGUSR1)
        gate.let.touch()
        wait_for(lambda: "serving" in gate.said(), "the start", seen=gate.said)
        wait_for(lambda: b"READY=1" in manager.said, "word of it", seen=lambda: manager.said)
        assert "is not up" in gate.said().partition("serving")[0] and gate.get("/")[0] == 200
        assert gate.end() == 0
    origin.stop()


@case
def nginx_dying_is_told():
    origin = Origin()
    with Serve(site(origin)) as gate:
        pids = gate.nginx_pids()
        os.kill(int((gate.run / "nginx.pid").read_text()), signal.SIGKILL)
        assert gate.process.wait(PATIENCE) == 3 and "ended by signal 9" in gate.said(), gate.said()
        wait_for(lambda: not alive(pids), "the end of the workers")
    origin.stop()


def no_orphan(user):
    origin = Origin()
    with Serve(site(origin), user) as gate:
        assert gate.get("/")[0] == 200
        wait_for(lambda: len(gate.nginx_pids()) >= 3, "the master and its workers", seen=gate.nginx_pids)
        pids = gate.nginx_pids()
        gate.process.kill()
        gate.process.wait()
        wait_for(lambda: not alive(pids), f"the end of nginx {pids}")
    origin.stop()


@case
def no_orphan_is_left_after_a_kill():
    no_orphan(None)


@case
def nor_as_an_ordinary_user():
    if os.geteuid() != 0:
        return  # the case before was it
    no_orphan(65534)


if __name__ == "__main__":
    main()
