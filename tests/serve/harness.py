"""guia serve on loopback with origins to stand behind it, and TAP.

Usage of a test: python3 X_test.py GUIA. Everything started here is ended by its process id.
"""
import contextlib
import http.client
import http.server
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "nginx"))
import outbox  # pylint: disable=wrong-import-position
import processes  # pylint: disable=wrong-import-position
import tap  # pylint: disable=wrong-import-position
from ports import free_port  # pylint: disable=wrong-import-position,unused-import
from tap import Skip, title  # pylint: disable=wrong-import-position,unused-import
from waiting import PATIENCE, wait_until as wait_for  # pylint: disable=wrong-import-position,unused-import

GUIA = pathlib.Path(sys.argv[1]).resolve()
TEMP = tempfile.TemporaryDirectory(prefix="guia-serve-test-")
FOLDER = pathlib.Path(TEMP.name)
FOLDER.chmod(0o755)  # workers of another user pass through it
CASES = []

RULES = """
SecRuleEngine On
SecRequestBodyAccess On
SecAuditEngine RelevantOnly
SecAuditLogFormat JSON
SecAuditLogParts ABHZ
SecAuditLogRelevantStatus "^(?:5(?!0[2-4])|4(?!04|44|99))"
SecResponseBodyAccess On
SecResponseBodyMimeType text/html
SecRule RESPONSE_BODY "@contains SECRET-LEAK" "id:101,phase:4,deny,status:403,log,auditlog,msg:'Leak'"
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


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.server.connections.append(self.connection)

    def do_GET(self):
        self.server.asked.append(self.path)
        if self.special():
            return
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
        if self.path.startswith("/echo"):
            self.echo()
            return
        body = f"page of {cookie or self.headers.get('Authorization') or 'everybody'} encoding " \
               f"{self.headers.get('Accept-Encoding')} host {self.headers.get('Host')} " \
               f"range {self.headers.get('Range')} for {self.headers.get('X-Forwarded-For')} proto " \
               f"{self.headers.get('X-Forwarded-Proto')}".encode()
        if self.path.startswith("/leak"):
            body += b"SECRET-LEAK"
        if self.path.startswith("/leak-large"):
            body += b"x" * 300000
        if self.path.startswith("/leak-chunked"):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(body), body))
            self.wfile.flush()
            time.sleep(0.05)
            self.wfile.write(b"0\r\n\r\n")
            return
        if self.path.startswith("/large"):
            body += b"x" * 300000
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
            self.server.release.wait(60)
            self.close_connection = True
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def echo(self):
        """Everything that was asked, as the page."""
        length = int(self.headers.get("Content-Length", 0))
        body = str(self.headers).encode() + self.rfile.read(length)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_HEAD(self):
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.posts.append((self.path, body))
        if self.path == "/dies":
            self.close_connection = True
            return
        answer = b"got %d" % len(body)
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def special(self):
        """Whether the path has a life of its own."""
        if self.path == "/slow":
            self.server.release.wait(60)
        elif self.path == "/together":
            self.together()
            return True
        elif self.path == "/dies":
            self.close_connection = True
            return True
        elif self.path == "/ws":
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.end_headers()
            while piece := self.connection.recv(65536):
                self.connection.sendall(piece)
            self.close_connection = True
            return True
        return False

    def together(self):
        """Nobody is answered before all are there; and nobody may keep the answer."""
        try:
            self.server.together.wait(PATIENCE)
            self.send_response(200)
        except threading.BrokenBarrierError:
            self.send_response(500)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


TOGETHER = 3


class Origin:
    def __init__(self):
        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 256

            def handle_error(self, *_):
                pass  # clients that leave are part of the tests
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.asked, self.server.seen, self.server.posts, self.server.connections = [], [], [], []
        self.server.release = threading.Event()
        self.server.together = threading.Barrier(TOGETHER)
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

    def __init__(self, text, user=None, program=GUIA, prefix=(), folder=FOLDER, env=None, drain_seconds=2):
        self.port = free_port()
        self.run = pathlib.Path(tempfile.mkdtemp(prefix="guia-run-", dir=folder)) / "run"
        self.run.parent.chmod(0o755)
        self.text = f"listen: 127.0.0.1:{self.port}\nrules: {RULE_FILE}\nrun_dir: {self.run}\nworkers: 2\n" \
                    f"drain_seconds: {drain_seconds}\ncache_dir: {self.run.parent}/patterns\n"
        self.config = write(f"{self.run.parent.name}.yaml", self.text + text)
        self.err = FOLDER / f"{self.run.parent.name}.err"
        if user is not None:
            os.chown(self.run.parent, user, user)
            os.chmod(self.config, 0o644)
        self.command = [*prefix, program, "serve", "-c", self.config]
        self.user, self.env, self.process = user, env, None
        self.start()

    def start(self):
        # It ends with the test, however that ends.
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *self.command], stderr=open(self.err, "wb"), user=self.user,
                                        env=self.env)
        wait_for(lambda: b"serving" in self.err.read_bytes() or self.process.poll() is not None, "the start", seen=self.said)
        assert self.process.poll() is None, self.said()

    def said(self):
        return self.err.read_text()

    def lines(self, name):
        """The lines of a log that are whole: it may be read in the middle of a write."""
        text = (self.run / name).read_text()
        return text[:text.rfind("\n") + 1].splitlines()

    def change(self, text):
        pathlib.Path(self.config).write_text(self.text + text)
        before = self.said().count("reloaded") + self.said().count("not taken")
        self.process.send_signal(signal.SIGHUP)
        wait_for(lambda: self.said().count("reloaded") + self.said().count("not taken") > before, "the reload", seen=self.said)

    def get(self, path, host="a.test", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers={"Host": host, **{k.replace("_", "-"): v for k, v in headers.items()}})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer.headers
        finally:
            connection.close()

    def curl(self, url, *words, data=None):
        """What curl gets from a URL, in which PORT stands for the port: (status, body, what -i shows)."""
        done = subprocess.run(["curl", "-sSi", "-m", str(PATIENCE), *words, url.replace("PORT", str(self.port))], input=data,
                              capture_output=True, check=False)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        while body.startswith(b"HTTP/"):
            head, _, body = body.partition(b"\r\n\r\n")
        return int(head.split()[1]) if head else 0, body.decode(errors="replace"), head.decode(errors="replace")

    def looked(self):
        """Returns once both workers have gone through their timers twice from now on: by then each has taken what was published before."""
        events = next(l for l in (self.run / "nginx.conf").read_text().splitlines() if "guia_events" in l).split()[1].rstrip(";")
        for _ in range(2):
            now_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            wait_for(lambda: sum(box.looked_ns() > now_ns for box in outbox.read_all(events)) >= 2, "workers that look")

    def nginx_pids(self):
        """Every nginx whose command line or parent is of this run."""
        everyone = processes.everyone()
        found = {pid for pid in everyone if str(self.run) in (title := processes.title(pid)) and "nginx" in title}
        return found | {pid for pid in everyone if processes.parent(pid) in found}

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(Exception):
            self.end()
        if self.process.poll() is None:
            self.process.kill()


def alive(pids):
    return {pid for pid in pids if processes.is_alive(pid)}


def site(origin, more=""):
    return f"sites:\n  - host: a.test\n    origin: http://127.0.0.1:{origin.port}\n{more}"


def guia(*words, code):
    done = subprocess.run([GUIA, *words], capture_output=True, check=False, timeout=300)
    assert done.returncode == code, f"{words}: exit {done.returncode}, not {code}: {done.stderr.decode()}"
    return done.stderr.decode()


def main():
    chosen = [(title(c), c) for c in CASES if not sys.argv[2:] or any(word in title(c) for word in sys.argv[2:])]
    sys.exit(1 if tap.run(chosen) else 0)
