"""An origin with few slots, visitors of three browsers, and a flood that has an order of headers of its own; all on loopback."""
import contextlib
import http.server
import itertools
import selectors
import socket
import threading
import time

SLOTS, SLOT_SECONDS = 10, 0.02  # 500 requests a second
VISITORS, VISITOR_PAUSE = 8, 0.05
CONNECTIONS, SOURCES = 300, 60
BROWSERS = [
    ["Host", "Connection", "User-Agent", "Accept", "Accept-Encoding", "Accept-Language"],
    ["Host", "User-Agent", "Accept", "Accept-Language", "Accept-Encoding", "Connection"],
    ["Host", "Accept", "Connection", "User-Agent", "Accept-Language", "Accept-Encoding"],
]
TOOL = ["Host", "Accept-Language", "Accept-Encoding", "Accept", "User-Agent", "Connection"]
PLAIN = ["Host", "User-Agent", "Accept", "Connection"]  # what simple tools send, and the first page of a site is what they ask for
VALUES = {"Host": "a.test", "Connection": "keep-alive", "Accept": "text/html", "Accept-Encoding": "gzip", "Accept-Language": "pt"}
COUNT, HOSTS = itertools.count(), itertools.count()


class SlowOrigin:
    """So many slots, and each request takes one for its time."""

    def __init__(self, count=SLOTS, seconds=SLOT_SECONDS):
        slots = threading.Semaphore(count)

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                with slots:
                    time.sleep(seconds)
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
    path = "/" if order is PLAIN else f"/page?q={next(COUNT)}"
    return f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode()


def ask(port, source, order, browser):
    """The status; 0 where the connection was closed."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 60, (source, 0)) as c:
        c.sendall(head(order, browser))
        answer = c.recv(65536)
        return int(answer.split()[1]) if answer else 0
    return 0


class Crowd:
    """Threads that ask until they are told to end; `statuses` is what they got, `slowest` how many seconds a visitor waited at most."""

    def __init__(self, count, target, *arguments):
        self.ends, self.statuses, self.slowest = threading.Event(), [], 0
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
        asked = time.monotonic()
        crowd.statuses.append(ask(port, f"127.0.{2 + person // 200}.{1 + person % 200}", BROWSERS[person % 3], person % 3))
        crowd.slowest = max(crowd.slowest, time.monotonic() - asked)


def insist(crowd, number, port):
    """One address, one kind of client, one request after the other."""
    while not crowd.ends.is_set():
        if ask(port, f"127.4.0.{number + 1}", TOOL, 0) == 0:
            time.sleep(0.05)


def fresh_attackers(networks=range(SOURCES)):
    """Addresses that no flood has asked from, in the networks that all floods come from: a signature may name these."""
    return (f"127.3.{network}.{host % 247 + 8}" for host in HOSTS for network in networks)


def refused_attackers(port):
    """The same, of the networks whose newcomers are refused; None: not even of half of them. A signature names the networks that had come when it was
    found, and on a slow machine one may come later."""
    newcomers = list(itertools.islice(fresh_attackers(), SOURCES))
    networks = [network for network, source in enumerate(newcomers) if ask(port, source, TOOL, 1) == 403]
    return fresh_attackers(networks) if 2 * len(networks) > SOURCES else None


def flood_open(port, number, order):
    c = socket.create_connection(("127.0.0.1", port), 5, (f"127.3.{number % SOURCES}.7", 0))
    c.setblocking(False)
    c.sendall(head(order, number % 3))
    return c


def flood_step(c, number, order):
    """False: the connection is gone."""
    try:
        answer = c.recv(65536)
        if answer:
            c.sendall(head(order, number % 3))
        return bool(answer)
    except BlockingIOError:
        return True
    except OSError:
        return False


def flood(crowd, _, port, order=TOOL):
    """As many requests at once as there are connections; one that is closed is opened again."""
    open_ones = dict.fromkeys(range(CONNECTIONS))
    with selectors.DefaultSelector() as selector:
        while not crowd.ends.is_set():
            for number in [n for n, c in open_ones.items() if c is None]:
                with contextlib.suppress(OSError):
                    open_ones[number] = flood_open(port, number, order)
                    selector.register(open_ones[number], selectors.EVENT_READ, number)
            for key, _ in selector.select(0.1):
                if not flood_step(key.fileobj, key.data, order):
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
                    open_ones[key.data] = None
            time.sleep(0.01)
        for c in filter(None, open_ones.values()):
            c.close()
