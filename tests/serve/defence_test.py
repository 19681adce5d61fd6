"""An attack on a real gate with a watch beside it, on loopback: a signature is found and refuses it, visitors are spared, a watch
that is killed in the middle goes on with the same, and when the attack is over nothing is refused any more. Another watch
records it, and the same is decided of the recording. TAP."""
import contextlib
import http.server
import itertools
import json
import os
import selectors
import signal
import socket
import subprocess
import threading
import time

from harness import GUIA, Serve, case, main, site, wait_for

SLOTS, SLOT_SECONDS = 10, 0.02  # 500 requests a second
VISITORS, VISITOR_PAUSE = 8, 0.05
QUIET_REQUESTS = 900
CONNECTIONS, SOURCES = 300, 60
OVER_SECONDS = 240
BROWSERS = [
    ["Host", "Connection", "User-Agent", "Accept", "Accept-Encoding", "Accept-Language"],
    ["Host", "User-Agent", "Accept", "Accept-Language", "Accept-Encoding", "Connection"],
    ["Host", "Accept", "Connection", "User-Agent", "Accept-Language", "Accept-Encoding"],
]
TOOL = ["Host", "Accept-Language", "Accept-Encoding", "Accept", "User-Agent", "Connection"]
VALUES = {"Host": "a.test", "Connection": "keep-alive", "Accept": "text/html", "Accept-Encoding": "gzip", "Accept-Language": "pt"}
COUNT = itertools.count()


class SlowOrigin:
    """So many slots, and each request takes one for its time."""

    def __init__(self):
        slots = threading.Semaphore(SLOTS)

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                with slots:
                    time.sleep(SLOT_SECONDS)
                self.send_response(200)
                self.send_header("Content-Length", "4")
                self.send_header("Cache-Control", "no-store")
                self.end_headers()
                self.wfile.write(b"page")

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 512
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def head(order, browser):
    values = {**VALUES, "User-Agent": f"Browser/{browser}"}
    lines = "".join(f"{name}: {values[name]}\r\n" for name in order)
    return f"GET /page?q={next(COUNT)} HTTP/1.1\r\n{lines}\r\n".encode()


def ask(port, source, order, browser):
    """The status; 0 where the connection was closed."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 20, (source, 0)) as c:
        c.sendall(head(order, browser))
        answer = c.recv(65536)
        return int(answer.split()[1]) if answer else 0
    return 0


class Crowd:
    """Threads that ask until they are told to end; `statuses` is what they got."""

    def __init__(self, count, target, *arguments):
        self.ends, self.statuses = threading.Event(), []
        self.threads = [threading.Thread(target=target, args=(self, number, *arguments), daemon=True) for number in range(count)]
        for thread in self.threads:
            thread.start()

    def end(self):
        self.ends.set()
        for thread in self.threads:
            thread.join()


def visit(crowd, number, port):
    for turn in itertools.count():
        if crowd.ends.wait(VISITOR_PAUSE):
            return
        person = number * 25 + turn % 25
        crowd.statuses.append(ask(port, f"127.0.2.{1 + person}", BROWSERS[person % 3], person % 3))


def flood_open(port, number):
    c = socket.create_connection(("127.0.0.1", port), 5, (f"127.3.{number % SOURCES}.7", 0))
    c.setblocking(False)
    c.sendall(head(TOOL, number % 3))
    return c


def flood_step(c, number):
    """False: the connection is gone."""
    try:
        answer = c.recv(65536)
        if answer:
            c.sendall(head(TOOL, number % 3))
        return bool(answer)
    except BlockingIOError:
        return True
    except OSError:
        return False


def flood(crowd, _, port):
    """As many requests at once as there are connections; one that is closed is opened again."""
    open_ones = dict.fromkeys(range(CONNECTIONS))
    with selectors.DefaultSelector() as selector:
        while not crowd.ends.is_set():
            for number in [n for n, c in open_ones.items() if c is None]:
                with contextlib.suppress(OSError):
                    open_ones[number] = flood_open(port, number)
                    selector.register(open_ones[number], selectors.EVENT_READ, number)
            for key, _ in selector.select(0.1):
                if not flood_step(key.fileobj, key.data):
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
                    open_ones[key.data] = None
            time.sleep(0.01)
        for c in filter(None, open_ones.values()):
            c.close()


def status(gate):
    done = subprocess.run([GUIA, "status", "-c", gate.config, "--json"], capture_output=True, check=False, timeout=60)
    return json.loads(done.stdout) if done.returncode in (0, 1) else {}


def told(gate):
    return next((s for s in status(gate).get("sites", []) if s["site"] == "a.test"), {})


def in_force(gate):
    """The incident with its signatures, once one of them is in force."""
    incident = told(gate).get("incident", {})
    return incident if any(m["kind"] == "signature" and m["stage"] == "in force" for m in incident.get("mitigations", [])) else None


def ids(incident):
    return {m["id"] for m in incident["mitigations"] if m["stage"] == "in force" and m["kind"] == "signature"}


def kill_the_watch(gate, before, fresh):
    pid = status(gate)["watch"]["pid"]
    os.kill(pid, signal.SIGKILL)
    while (now := status(gate).get("watch", {}).get("pid")) in (None, pid):
        assert ask(gate.port, next(fresh), TOOL, 1) in (0, 403), "what was refused is served while there is no watch"
        time.sleep(0.1)
    assert now != pid
    after = wait_for(lambda: in_force(gate), "what was in force")
    assert after["id"] == before["id"] and ids(before) <= ids(after), (before, after)


def recorder(gate):
    """A watch that carries nothing out."""
    folder = next(l.split()[1].rstrip(";") for l in (gate.run / "nginx.conf").read_text().splitlines() if "guia_events" in l)
    return subprocess.Popen([GUIA, "watch", "--run-dir", str(gate.run.parent / "recorder"), "--events", folder, "--record",
                             str(gate.run.parent / "recording")], stderr=subprocess.DEVNULL)


def replay(gate, watch):
    watch.send_signal(signal.SIGTERM)
    assert watch.wait(30) == 0
    file = gate.run.parent / "recording"
    assert file.stat().st_mode & 0o077 == 0
    said = subprocess.run([GUIA, "replay", str(file)], capture_output=True, check=True, timeout=120).stdout.decode()
    assert "signature in force" in said and "sources banned" in said, said
    file.write_bytes(file.read_bytes()[:100000])
    assert "no recording" not in subprocess.run([GUIA, "replay", str(file)], capture_output=True, check=True, timeout=60).stderr.decode()
    file.write_bytes(b"nothing of the kind")
    done = subprocess.run([GUIA, "replay", str(file)], capture_output=True, check=False, timeout=60)
    assert done.returncode == 2 and b"is no recording" in done.stderr, done


def wait_long(condition, what):
    end = time.monotonic() + OVER_SECONDS
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(1)


@case
def an_attack_is_refused_while_it_lasts():
    origin = SlowOrigin()
    fresh = (f"127.4.{number}.7" for number in range(1, 255))
    with Serve(site(origin)) as gate:
        watch = recorder(gate)
        visitors = Crowd(VISITORS, visit, gate.port)
        wait_for(lambda: told(gate).get("quiet_requests_kept", 0) >= QUIET_REQUESTS, "what is normal")
        assert set(visitors.statuses) == {200} and told(gate).get("incident") is None, told(gate)
        attackers = Crowd(1, flood, gate.port)
        before = wait_for(lambda: in_force(gate), "a signature")
        assert before["detected_after_s"] < before["mitigated_after_s"], before
        wait_for(lambda: ask(gate.port, next(fresh), TOOL, 0) == 403, "a refusal")
        visitors.statuses.clear()
        wait_for(lambda: len(visitors.statuses) > 200, "visitors")
        assert visitors.statuses.count(200) >= len(visitors.statuses) * 0.99, visitors.statuses
        replay(gate, watch)
        kill_the_watch(gate, before, fresh)
        visitors.statuses.clear()
        wait_for(lambda: len(visitors.statuses) > 100, "visitors")
        assert 403 not in visitors.statuses, visitors.statuses
        shown = subprocess.run([GUIA, "status", "-c", gate.config], capture_output=True, check=False, timeout=60).stdout.decode()
        assert "a.test: mitigated, attack since" in shown and "in force for" in shown, shown
        attackers.end()
        wait_long(lambda: told(gate)["incident"]["state"] == "quiet", "the end")
        assert told(gate)["incident"]["mitigations"] == []
        wait_for(lambda: ask(gate.port, next(fresh), TOOL, 0) == 200, "nothing refused")
        visitors.end()
        assert 403 not in visitors.statuses
    origin.stop()


main()
