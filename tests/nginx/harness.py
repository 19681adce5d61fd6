"""A real nginx with the gate in a private folder on loopback, an origin to stand behind it, and TAP.

Usage of a test: python3 X_test.py MODULE. Everything a test starts is ended by its process id.
"""
import atexit
import hashlib
import http.server
import json
import os
import pathlib
import shutil
import signal as signals
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import outbox  # pylint: disable=wrong-import-position
import processes  # pylint: disable=wrong-import-position
import tap  # pylint: disable=wrong-import-position
from ports import free_port  # pylint: disable=wrong-import-position,unused-import
from tap import Skip  # pylint: disable=wrong-import-position
from waiting import PATIENCE, wait_until  # pylint: disable=wrong-import-position,unused-import

MODULE = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build/ngx_http_guia_module.so").resolve()


class Gate:
    """nginx with a configuration of `http` (inside the http block), `main` (outside), and `events`."""

    def __init__(self, http, main="", workers=1, modules=(), files=None, start=True):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="guia-nginx-"))
        self.modules, self.workers, self.process = modules, workers, None
        atexit.register(self.close)
        for name, text in (files or {}).items():
            self.write(name, text)
        self.configure(http, main)
        if start:
            self.start()

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def configure(self, http, main="", events=""):
        user = "user root;" if os.getuid() == 0 else ""
        loads = "".join(f"load_module {m};\n" for m in (*self.modules, MODULE))
        paths = "".join(f"{p}_temp_path {self.folder}/temp-{p};" for p in
                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        self.config = self.write("nginx.conf", f"""{loads}{user}
worker_processes {self.workers};
daemon off; pid {self.folder}/pid; error_log {self.folder}/error.log info;
{main}
events {{ worker_connections 512; {events} }}
http {{
log_format gate '$status id=$guia_id verdict=$guia_verdict score=$guia_score uri=$uri';
access_log {self.folder}/access.log gate;
default_type text/html;
{paths}
{http}
}}
""")

    def command(self, *more):
        return ["nginx", "-p", str(self.folder), "-e", str(self.folder / "error.log"), "-c", str(self.config), *more]

    def check(self):
        """nginx -t: (accepted, what it says)."""
        done = subprocess.run(self.command("-t"), capture_output=True, text=True, timeout=120)
        return done.returncode == 0, done.stderr

    def start(self, prefix=()):
        self.titled = "valgrind" not in prefix
        # nginx ends with the test, however that ends
        # and never waits for a reader of what it says
        with (self.folder / "said").open("w") as said:
            self.process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *prefix, *self.command()], stderr=said)
        wait_until(lambda: self.process.poll() is not None or (self.folder / "pid").exists(), "nginx", 120)
        if self.process.poll() is not None:
            raise AssertionError("nginx did not start: " + (self.folder / "said").read_text() + self.errors())
        wait_until(lambda: len(self.worker_pids()) >= self.workers, "workers")

    def titles(self):
        """pid -> what nginx says a process is, of the master's children; it says so once the process is ready."""
        found = {pid: processes.title(pid) for pid in processes.children(self.process.pid)}
        return {pid: title if self.titled else "nginx: worker process" for pid, title in found.items() if title}

    def worker_pids(self):
        """Workers that are ready, old ones that end among them."""
        return [pid for pid, title in self.titles().items() if title.startswith("nginx: worker process")]

    def serving_pids(self):
        return {pid for pid, title in self.titles().items() if title == "nginx: worker process"}

    def signal(self, number):
        os.kill(self.process.pid, number)

    def reload(self):
        """Returns once the old workers no longer accept and new ones do."""
        before = set(self.worker_pids())
        self.signal(signals.SIGHUP)
        wait_until(lambda: len(self.serving_pids() - before) >= self.workers and
                   not (self.titled and self.serving_pids() & before), "new workers")

    def kill_workers(self):
        """SIGKILL to all; returns once as many others serve."""
        killed = set(self.worker_pids())
        for pid in killed:
            os.kill(pid, signals.SIGKILL)
        wait_until(lambda: len(self.serving_pids() - killed) >= self.workers, "other workers")

    def looked(self, events=None):
        """Returns once every worker has gone through its timers twice from now on, as its events say: by then it has
        taken what was published before."""
        for _ in range(2):
            now_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            wait_until(lambda: sum(box.looked_ns() > now_ns for box in outbox.read_all(events or self.folder / "events", rings=False))
                       >= self.workers, "workers that look")

    def stop(self, number=signals.SIGTERM):
        if self.process is None or self.process.poll() is not None:
            return self.process and self.process.returncode
        self.signal(number)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        return self.process.returncode

    def close(self):
        self.stop()
        if not os.environ.get("KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def errors(self):
        path = self.folder / "error.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def log_lines(self, name="access.log"):
        """The lines of a log that are whole: it may be read in the middle of a write."""
        path = self.folder / name
        text = path.read_text(errors="replace") if path.exists() else ""
        return text[:text.rfind("\n") + 1].splitlines()

    def logged(self, text, name="error.log"):
        """The lines of a log that hold `text`; waits for the first, for logs are written after the answer."""
        return wait_until(lambda: [l for l in self.log_lines(name) if text in l], f"{text!r} in {name}")

    def audit(self):
        return [json.loads(line) for line in self.log_lines("audit.log")]


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:200]!r}>"


def curl(url, *arguments, http2=False, data=None, patience=60):
    """status 0: no answer came."""
    with tempfile.NamedTemporaryFile() as heads, tempfile.NamedTemporaryFile() as body:
        command = ["curl", "-sS", "-D", heads.name, "-o", body.name, "-m", str(patience),
                   "--http2-prior-knowledge" if http2 else "--http1.1", *arguments, url]
        subprocess.run(command, input=data, capture_output=True, check=False)
        blocks = [b for b in heads.read().replace(b"\r\n", b"\n").split(b"\n\n") if b.strip()]
        headers, status = {}, 0
        if blocks:
            lines = blocks[-1].decode("latin-1").split("\n")
            status = int(lines[0].split()[1])
            for line in lines[1:]:
                name, _, value = line.partition(":")
                headers[name.strip().lower()] = value.strip()
        return Reply(status, headers, body.read())


def raw(port, text, patience=60, end=None):
    """Sends bytes as they are and returns all that comes until the connection closes, or until `end` has come."""
    with socket.create_connection(("127.0.0.1", port), timeout=patience) as s:
        s.sendall(text if isinstance(text, bytes) else text.encode())
        answer = b""
        while True:
            try:
                piece = s.recv(65536)
            except (ConnectionResetError, socket.timeout):
                break
            if not piece:
                break
            answer += piece
            if end is not None and end in answer:
                break
        return answer


class OriginHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            out = b""
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                out += self.rfile.read(size)
                self.rfile.readline()
                if size == 0:
                    return out
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self):
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        for prefix, page in self.server.pages.items():
            if self.path.split("?")[0] == prefix:
                return page(self)
        return self.send(404, b"no such page")

    do_GET = do_POST = do_HEAD = do_PUT = do_OPTIONS = answer

    def send(self, status, body, kind="text/html", **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_chunked(self, pieces, kind="text/html"):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def echo(self):
        body = self.body()
        self.send(200, json.dumps({"method": self.command, "path": self.path, "length": len(body),
                                   "sha256": hashlib.sha256(body).hexdigest(),
                                   "headers": dict(self.headers)}).encode(), "application/json")


class Origin:
    """pages: path -> function(handler)."""

    def __init__(self, pages=None):
        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, *_):
                pass  # clients that leave are part of the tests
        self.server = Server(("127.0.0.1", 0), OriginHandler)
        self.server.seen = self.seen = []
        self.server.pages = self.pages = {"/echo": OriginHandler.echo, **(pages or {})}
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def debian_modsecurity():
    """Debian's ModSecurity module, unpacked in the build folder once; nothing is installed."""
    folder = MODULE.parent / "debian-modsecurity"
    module = folder / "usr/lib/nginx/modules/ngx_http_modsecurity_module.so"
    if module.exists():
        return module
    folder.mkdir(exist_ok=True)
    try:
        subprocess.run(["apt-get", "download", "libnginx-mod-http-modsecurity"], cwd=folder, capture_output=True, check=True, timeout=300)
    except subprocess.SubprocessError as reason:  # also where it waits for a network that is not there
        raise Skip("Debian's package cannot be downloaded") from reason
    for deb in folder.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", deb, folder], check=True)
    return module


_cases = []


def case(title, both=False):
    """A test case; with `both` it runs over HTTP/1.1 and HTTP/2 and takes http2=."""
    def keep(function):
        if both:
            _cases.append((title + " (HTTP/1.1)", lambda: function(http2=False)))
            _cases.append((title + " (HTTP/2)", lambda: function(http2=True)))
        else:
            _cases.append((title, function))
        return function
    return keep


def main():
    only = [a for a in sys.argv[2:] if not a.endswith(".so")]
    chosen = [c for c in _cases if not only or any(o in c[0] for o in only)]
    sys.exit(1 if tap.run(chosen) else 0)
