#!/usr/bin/env python3
"""guia serve from start to end: bad configuration, the life of a run, reload, last good copies, no orphans. TAP.

Usage: serve_test.py GUIA. Everything started here is ended by its process id. Ports are the kernel's choice.
"""
import contextlib
import http.client
import http.server
import os
import pathlib
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
import traceback

GUIA = pathlib.Path(sys.argv[1]).resolve()
TEMP = tempfile.TemporaryDirectory(prefix="guia-serve-test-")
FOLDER = pathlib.Path(TEMP.name)
FOLDER.chmod(0o755)  # workers of another user pass through it
CASES = []
PATIENCE = 60

RULES = """
SecRuleEngine On
SecRequestBodyAccess On
SecAuditEngine RelevantOnly
SecAuditLogFormat JSON
SecAuditLogParts ABHZ
SecAuditLogRelevantStatus "^(?:5|4(?!04))"
SecRule ARGS "@contains evil" "id:100,phase:2,deny,status:403,log,auditlog,msg:'Evil'"
"""


def case(function):
    CASES.append(function)
    return function


def write(name, text):
    path = FOLDER / name
    path.write_text(text)
    return str(path)


RULE_FILE = write("rules.conf", RULES)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, what):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.server.connections.append(self.connection)

    def do_GET(self):
        cookie = self.headers.get("Cookie", "")
        headers, status = {}, 200
        if self.path.startswith("/login"):
            headers["Set-Cookie"] = "sid=" + self.path[7:]
        if self.path.startswith("/header/"):
            name, _, value = self.path[8:].partition("=")
            headers[name] = value
        if self.path.startswith("/missing"):
            status = 404
            headers["Cache-Control"] = "max-age=1000"
        body = f"page of {cookie or self.headers.get('Authorization') or 'everybody'} encoding " \
               f"{self.headers.get('Accept-Encoding')} host {self.headers.get('Host')} " \
               f"range {self.headers.get('Range')} for {self.headers.get('X-Forwarded-For')}".encode()
        self.server.seen.append(self.path)
        self.send_response(status)
        self.send_header("Content-Type", "text/event-stream" if self.path == "/events" else "text/html")
        for name, value in headers.items():
            self.send_header(name, value)
        if self.path == "/events":
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(b"data: one\n\n")
            self.wfile.flush()
            self.server.release.wait(30)
            self.close_connection = True
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Origin:
    def __init__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.seen, self.server.connections, self.server.release = [], [], threading.Event()
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.server.release.set()
        self.server.shutdown()
        self.server.server_close()
        for connection in self.server.connections:  # those kept alive would go on being answered
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class Serve:
    """A run of guia serve; `text` is YAML behind `listen`, `rules` and `run_dir`."""

    def __init__(self, text, user=None):
        self.port = free_port()
        self.run = pathlib.Path(tempfile.mkdtemp(prefix="guia-run-", dir=FOLDER)) / "run"
        self.run.parent.chmod(0o755)
        self.text = f"listen: 127.0.0.1:{self.port}\nrules: {RULE_FILE}\nrun_dir: {self.run}\nworkers: 2\n" \
                    f"drain_seconds: 2\ncache_dir: {self.run.parent}/patterns\n"
        self.config = write(f"{self.run.parent.name}.yaml", self.text + text)
        self.err = FOLDER / f"{self.run.parent.name}.err"
        if user is not None:
            os.chown(self.run.parent, user, user)
            os.chmod(self.config, 0o644)
        self.process = subprocess.Popen([GUIA, "serve", "-c", self.config], stderr=open(self.err, "wb"), user=user)
        wait_for(lambda: b"serving" in self.err.read_bytes() or self.process.poll() is not None, "the start")
        assert self.process.poll() is None, self.said()

    def said(self):
        return self.err.read_text()

    def change(self, text):
        pathlib.Path(self.config).write_text(self.text + text)
        before = self.said().count("reloaded") + self.said().count("not taken")
        self.process.send_signal(signal.SIGHUP)
        wait_for(lambda: self.said().count("reloaded") + self.said().count("not taken") > before, "the reload")

    def get(self, path, host="a.test", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path, headers={"Host": host, **{k.replace("_", "-"): v for k, v in headers.items()}})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.headers
        finally:
            connection.close()

    def nginx_pids(self):
        """Every nginx whose command line or parent is of this run."""
        found, parents = set(), {}
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError, IndexError):
                    parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                    if str(self.run) in (entry / "cmdline").read_text() and "nginx" in (entry / "cmdline").read_text():
                        found.add(int(entry.name))
        return found | {pid for pid, parent in parents.items() if parent in found}

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(Exception):
            self.end()
        if self.process.poll() is None:
            self.process.kill()


def alive(pids):
    return {pid for pid in pids if pathlib.Path(f"/proc/{pid}/stat").exists()
            and pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"}


def site(origin, more=""):
    return f"sites:\n  - host: a.test\n    origin: http://127.0.0.1:{origin.port}\n{more}"


def guia(*words, code):
    done = subprocess.run([GUIA, *words], capture_output=True, check=False, timeout=60)
    assert done.returncode == code, f"{words}: exit {done.returncode}, not {code}: {done.stderr.decode()}"
    return done.stderr.decode()


@case
def bad_configuration_is_refused_with_its_place():
    good = "sites:\n  - host: a.test\n    origin: http://127.0.0.1:1\n"
    cases = [
        (good + "lisen: 80\n", ":4:1:", "unknown key `lisen`"), (good + "detect: 3\n", ":4:9:", "true or false"),
        ("sites:\n  - hots: a\n    origin: http://1.2.3.4\n", ":2:5:", "unknown key `hots`"),
        ("sites:\n  - host: a.test\n", ":2:5:", "needs `origin`"), ("sites: a\n", ":1:8:", "list of sites"),
        (good + "workers: many\n", ":4:10:", "number"), (good + "listen: 1.2.3.4:99999\n", ":4:9:", "address"),
        (good + "trusted_proxies: [10.0.0.0/33]\n", ":4:19:", "network"), ("a: [\n", ":2:1:", ""), ("", ":1:1:", "sites"),
        (good + "certificate: c.pem\n", "", "key is missing"), (good + good.replace("sites:\n", ""), "", "two sites"),
        (good + "rules: /nowhere.conf\nlisten: 127.0.0.1:1\n", "", "nowhere"),
    ]
    for text, place, part in cases:
        path = write("bad.yaml", text)
        err = guia("check", "-c", path, code=2)
        assert place in err and part in err, (text, err)
    assert "No such file" in guia("serve", "-c", "/nowhere.yaml", code=2)


@case
def nothing_can_be_injected():
    for character in list(";{}$'\"\\# \t\n\0`"):
        for before, after in (("a", "b"), ("", "")):
            text = before + character + after
            escaped = "".join(f"\\x{ord(c):02x}" if not c.isalnum() else c for c in text)
            for yaml in (f'sites:\n  - host: "{escaped}.test"\n    origin: http://127.0.0.1:1\n',
                         f'sites:\n  - host: a.test\n    origin: "http://h{escaped}:1"\n',
                         f'rules: "/x{escaped}"\nsites:\n  - host: a.test\n    origin: http://127.0.0.1:1\n',
                         f'listen: "80{escaped}"\nsites:\n  - host: a.test\n    origin: http://127.0.0.1:1\n'):
                err = guia("check", "-c", write("inject.yaml", yaml), code=2)
                assert "inject.yaml:" in err, (yaml, err)
            if character != "\0":
                guia("serve", "--site", f"{text}.test=http://127.0.0.1:1", code=2)
                guia("serve", "--site", f"a.test=http://x{text}", code=2)


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
        with contextlib.suppress(http.client.RemoteDisconnected, ConnectionResetError):
            raise AssertionError(f"an unknown host was answered {gate.get('/', host='b.test')[0]}")
        for path in [gate.run, *gate.run.rglob("*"), gate.run.parent]:
            assert not path.lstat().st_mode & 0o077 or path == gate.run.parent, path
        assert stat.S_IMODE(gate.run.stat().st_mode) == 0o700
        second = subprocess.run([GUIA, "serve", "-c", gate.config, "--listen", f"127.0.0.1:{free_port()}"],
                                capture_output=True, check=False, timeout=60)
        assert second.returncode == 3 and b"another guia" in second.stderr, second
        pids = gate.nginx_pids()
        assert len(pids) >= 3 and gate.end() == 0 and not alive(pids)
    origin.stop()


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
def event_streams_are_not_held_back():
    origin = Origin()
    with Serve(site(origin)) as gate, socket.create_connection(("127.0.0.1", gate.port), 10) as client:
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


@case
def nginx_dying_is_told():
    origin = Origin()
    with Serve(site(origin)) as gate:
        pids = gate.nginx_pids()
        os.kill(int((gate.run / "nginx.pid").read_text()), signal.SIGKILL)
        assert gate.process.wait(20) == 3 and "ended by signal 9" in gate.said(), gate.said()
        wait_for(lambda: not alive(pids), "the end of the workers")
    origin.stop()


def no_orphan(user):
    origin = Origin()
    with Serve(site(origin), user) as gate:
        assert gate.get("/")[0] == 200
        pids = gate.nginx_pids()
        assert len(pids) >= 3
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


def main():
    failed = 0
    print(f"1..{len(CASES)}")
    for number, function in enumerate(CASES, 1):
        try:
            function()
            print(f"ok {number} - {function.__name__.replace('_', ' ')}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"not ok {number} - {function.__name__.replace('_', ' ')}")
            print("# " + traceback.format_exc().strip().replace("\n", "\n# "), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
