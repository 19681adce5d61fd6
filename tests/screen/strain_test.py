"""The screen under attack keeps answering the operator, in bounded memory and with bounded descriptors. TAP."""
import contextlib
import random
import resource
import socket
import time

from harness import PATIENCE, Screen, case, incident_write, main, site, status, wait_for

MEMORY_MOST = 96 << 20
FILES_MOST = 512


def many_files():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192), most))


def connect(screen):
    client = socket.socket()
    client.settimeout(PATIENCE)
    client.connect(("127.0.0.1", screen.port))
    return client


def operator_is_answered(screen):
    code, _, text = screen.ask("/")
    assert code == 200 and "a.test" in text, code
    assert screen.resident() < MEMORY_MOST and screen.files() <= FILES_MOST, (screen.resident(), screen.files())


@contextlib.contextmanager
def one_site():
    screen = Screen()
    with screen:
        screen.watch.answers["status"] = status(site("a.test"))
        screen.ready(1)
        incident_write(screen.history, 1, ["a.test"], phase="rising")
        yield screen


@case
def nonsense_is_refused():
    rng = random.Random(5)
    good = "GET / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nCookie: COOKIE\r\n\r\n"
    words = ["GET", "POST", " ", "\r\n", "\n", "HTTP/1.1", "HTTP/9.9", ":", "Host", "Content-Length: 99999999999999999999", "Content-Length: -1", "Transfer-Encoding: chunked",
             "ffffffffffffffff\r\n", "0\r\n\r\n", "\x00", "\xff" * 9, "/" * 300, "?" + "a=b&" * 300, "%", "%00", "Cookie: " + "=" * 200, "Expect: 100-continue", "\t", "a" * 3000]
    with one_site() as screen:
        text = good.replace("PORT", str(screen.port)).replace("COOKIE", screen.cookie)
        for number in range(600):
            said = bytearray(text.encode("latin-1"))
            if number % 3 == 0:
                said = bytearray("".join(rng.choice(words) for _ in range(rng.randrange(1, 40))).encode("latin-1"))
            elif number % 3 == 1:
                for _ in range(rng.randrange(1, 12)):
                    said[rng.randrange(len(said))] = rng.randrange(256)
            else:
                at = rng.randrange(len(said))
                said[at:at] = rng.choice(words).encode("latin-1")
            with connect(screen) as client:
                client.settimeout(0.05)
                with contextlib.suppress(OSError):
                    client.sendall(bytes(said))
                    client.shutdown(socket.SHUT_WR)
                    client.recv(65536)
            if number % 60 == 0:
                operator_is_answered(screen)
        operator_is_answered(screen)


@case
def nobody_is_kept_waiting_by_those_who_say_nothing():
    many_files()
    with one_site() as screen:
        clients, usual = [], screen.files()
        for number in range(1000):
            client = connect(screen)
            with contextlib.suppress(OSError):
                client.sendall([b"", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"POST /orders HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4000\r\n\r\nx"][number % 3])
            clients.append(client)
            if number % 200 == 199:
                operator_is_answered(screen)
        operator_is_answered(screen)
        # Drops keep them from being idle, and still their time is over.
        def all_cut():
            open_ones = 0
            for client in clients:
                client.setblocking(False)
                try:
                    client.send(b"X")
                    open_ones += client.recv(1) != b""
                except BlockingIOError:
                    open_ones += 1
                except OSError:
                    pass
            return open_ones == 0
        wait_for(all_cut, "the end of a thousand")
        operator_is_answered(screen)
        for client in clients:
            client.close()
        wait_for(lambda: screen.files() <= usual + 2, "descriptors given back")


@case
def a_thousand_streams_are_not_kept():
    many_files()
    with one_site() as screen:
        clients, taken, refused, usual = [], 0, 0, screen.files()
        for number in range(1000):
            client = connect(screen)
            path = "/live/" if number % 2 else "/live/incidents/1"
            client.sendall(f"GET {path}?lang=pt HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {screen.cookie}\r\n\r\n".encode())
            first = client.recv(12)
            taken += first.endswith(b"200")
            refused += first.endswith(b"503")
            clients.append(client)
            if number % 200 == 199:
                operator_is_answered(screen)
        assert 0 < taken <= 48 and taken + refused == 1000, (taken, refused)
        # Those that are on go on, though nobody reads them: what one is owed is bounded.
        before = screen.resident()
        end = time.monotonic() + 4
        while time.monotonic() < end:
            operator_is_answered(screen)
            time.sleep(0.2)
        assert screen.resident() < before + (16 << 20), (before, screen.resident())
        for client in clients:
            client.close()
        wait_for(lambda: screen.files() <= usual + 2, "descriptors given back")
        with connect(screen) as client:
            client.sendall(f"GET /live/ HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {screen.cookie}\r\n\r\n".encode())
            assert client.recv(12).endswith(b"200")


@case
def streams_want_a_session():
    with one_site() as screen:
        with connect(screen) as client:
            client.sendall(b"GET /live/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert client.recv(12).endswith(b"403")


@case
def bodies_without_end_are_left():
    with one_site() as screen:
        for head in ("Content-Length: 1000000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\nfffffff\r\n"):
            with connect(screen) as client:
                client.sendall(f"POST /orders HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {screen.cookie}\r\n{head}".encode())
                sent = 0
                with contextlib.suppress(OSError):
                    while sent < 32 << 20:
                        sent += client.send(b"x" * 65536)
                assert sent < 32 << 20, "it was read to the end"
            operator_is_answered(screen)


@case
def a_watch_that_hangs_holds_nobody_up():
    with one_site() as screen:
        real = dict(screen.watch.answers)
        screen.watch.socket.close()
        wait_for(lambda: 'class="warning"' in screen.ask("/")[2], "a warning")
        operator_is_answered(screen)

        def answered_at_once():
            """Twenty times, in less than a second each: with a watch that is waited for it would be three."""
            began = time.monotonic()
            for _ in range(20):
                operator_is_answered(screen)
            return time.monotonic() - began < 20
        assert any(answered_at_once() for _ in range(5)), "it waits for the watch"
        assert real["status"]["sites"]


main()
