"""Intrusions as a duty officer sees them: Debian's sqlmap from five addresses, a scan, a leak, an upload, one-off probes, and texts made
to hurt whoever reads them; over a killed watch. The Core Rule Set inspects. TAP."""
import atexit
import contextlib
import html.parser
import http.client
import json
import os
import pathlib
import signal
import socket
import socketserver
import subprocess
import tempfile
import threading

import bundles
from harness import FOLDER, GUIA, Handler, Origin, Serve, case, main, wait_for

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0"
SITES = ("a.test", "b.test")


def special(handler):
    """What the origin answers: an error that tells of its database, what was uploaded, pages, and nothing for /not."""
    path = handler.path.split("?")[0]
    pages = {"/broken": b"<html><b>Warning</b>: mysql_connect() failed. You have an error in your SQL syntax; check the manual that "
                        b"corresponds to your MySQL server version near line 1</html>",
             "/files/c99x.php": b"<html>uploaded</html>"}
    body = pages.get(path, b"<html>a page</html>")
    handler.send_response(404 if path.startswith("/not") else 200)
    handler.send_header("Content-Type", "text/html")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
    return True


Handler.special = special


class Relay:
    """A port from which connections come to the gate as from another address of loopback."""

    def __init__(self, source, port):
        class Pipe(socketserver.BaseRequestHandler):
            def handle(self):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), source_address=(source, 0)) as far:
                    back = threading.Thread(target=self.copy, args=(far, self.request), daemon=True)
                    back.start()
                    self.copy(self.request, far)
                    back.join(20)

            @staticmethod
            def copy(one, other):
                with contextlib.suppress(OSError):
                    while piece := one.recv(65536):
                        other.sendall(piece)
                    other.shutdown(socket.SHUT_WR)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = allow_reuse_address = True
        self.server = Server(("127.0.0.1", 0), Pipe)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()


class Sites(Serve):
    """Two sites, of which the second only detects; with the recommended rules."""

    def __init__(self):
        self.origins = [Origin(), Origin()]
        text = "sites:\n" + "".join(f"  - host: {host}\n    origin: http://127.0.0.1:{origin.port}\n{more}"
                                    for host, origin, more in zip(SITES, self.origins, ("", "    detect: true\n")))
        self.export_key = FOLDER / "export.key"
        subprocess.run([GUIA, "evidence", "export-key", self.export_key, "-o", FOLDER / "export.pem"], check=True, timeout=300, stdout=subprocess.DEVNULL)
        (FOLDER / "export.pem").chmod(0o644)
        super().__init__(text + f"evidence: {{export_certificate: {FOLDER}/export.pem}}\n")

    def start(self):
        path = pathlib.Path(self.config)
        path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith("rules:")))
        super().start()

    def ask(self, path, source="127.0.0.1", host="a.test", agent=BROWSER, method="GET", body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120, source_address=(source, 0))
        try:
            connection.request(method, path, body, {"Host": host, "User-Agent": agent, "Accept": "text/html",
                                                    **{k.replace("_", "-"): v for k, v in headers.items()}})
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()

    def guia(self, *words):
        done = subprocess.run([GUIA, *words, "--run-dir", self.run], capture_output=True, check=False, timeout=300)
        assert done.returncode == 0, done
        return done.stdout

    def watch(self):
        """What the watch says of itself, whatever is up; None: it does not answer."""
        done = subprocess.run([GUIA, "status", "--json", "--run-dir", self.run], capture_output=True, check=False, timeout=300)
        with contextlib.suppress(ValueError, KeyError):
            return json.loads(done.stdout)["watch"]
        return None

    def incidents(self):
        return json.loads(self.guia("incidents", "--json"))

    def intrusions(self):
        return [i for i in self.incidents() if i["kind"] != "flood"]

    def one(self, kind):
        """The incident of that kind, once there is one; there must be no other of it."""
        found = wait_for(lambda: [i for i in self.intrusions() if i["kind"] == kind], kind)
        assert len(found) == 1, found
        return found[0]["incident"]

    def whole(self, number):
        return json.loads(self.guia("incidents", str(number), "--json"))


SERVE = Sites()


def sqlmap(port, *words):
    with tempfile.TemporaryDirectory(prefix="guia-sqlmap-") as folder:
        return subprocess.run(["sqlmap", "-u", f"http://127.0.0.1:{port}/search?q=1&page=2", "--host", "a.test", "--batch", "--technique=B",
                               "-p", "q", "--ignore-code=403", "--retries=0", "--timeout=10", "--flush-session", "--output-dir", folder, *words],
                              capture_output=True, text=True, check=False, timeout=300, env={**os.environ, "HOME": folder})


def sums(whole, dimension):
    return {t["key"]: t["requests"] for t in whole[dimension]}


def all_is_read():
    """What the gate told before has been counted: three answers of the watch, with rounds over the rings between them, find no more of it."""
    seen = []
    wait_for(lambda: seen.append((SERVE.watch() or {}).get("findings")) or (seen[-1] is not None and seen[-3:].count(seen[-1]) == 3),
             "an end of findings", seen=lambda: seen, pause=0.2)


@case
def one_off_probes_and_visitors_are_no_incident():
    probes = ("/?x=<script>alert(1)</script>", "/?file=../../../etc/passwd", "/?q=1'%20or%20'1'='1", "/?cmd=;cat%20/etc/passwd", "/.git/config")
    for i in range(40):
        SERVE.ask(f"/page-{i}", f"127.0.1.{i + 1}")
        SERVE.ask(f"/p{i}" + probes[i % 5].replace(" ", "%20"), f"127.{i + 2}.2.{i + 1}", agent=f"agent {i * 7919}", **{f"X_{i}": "1"})
    wait_for(lambda: (SERVE.watch() or {"findings": 0})["findings"] >= 30, "findings")
    assert SERVE.intrusions() == []


@case
def sqlmap_from_five_addresses_is_one_line():
    said = [sqlmap(Relay(f"127.0.0.{i}", SERVE.port).port) for i in range(2, 7)]
    assert all("starting" in done.stdout for done in said), said
    number = SERVE.one("injection")
    all_is_read()
    whole = wait_for(lambda: (w := SERVE.whole(number))["actor"]["addresses"] == 5 and w, "five addresses")
    assert len(SERVE.intrusions()) == 1
    assert set(sums(whole, "source")) == {f"127.0.0.{i}" for i in range(2, 7)}
    assert list(sums(whole, "network")) == ["127.0.0.0/24"]
    assert any(agent.startswith("sqlmap/") for agent in sums(whole, "agent")), whole["agent"]
    assert "sql-injection" in whole["actor"]["classes"] and "scanner" in whole["actor"]["classes"]
    assert any(rule.startswith("942100 ") for rule in sums(whole, "rule")), whole["rule"]
    assert whole["sites"][0]["site"] == "a.test" and whole["sites"][0]["blocked"] == whole["actor"]["findings"]
    text = SERVE.guia("incidents", str(number)).decode()
    assert "from 5 addresses" in text and "attacker" not in text, text



@case
def another_tool_elsewhere_is_another_line():
    for i in range(80):
        SERVE.ask(f"/not-{i * 31}/admin", "127.7.7.7")
    number = SERVE.one("scan")
    whole = wait_for(lambda: (w := SERVE.whole(number))["actor"]["missing"] >= 40 and w["sites"][0]["passed"] > 0 and w, "what it did not find",
                     seen=lambda: SERVE.whole(number))
    assert list(sums(whole, "source")) == ["127.7.7.7"], whole["source"]
    assert whole["phase"] in ("onset", "rising"), whole["phase"]
    assert len(SERVE.intrusions()) == 2


@case
def an_answer_that_leaks_is_told_whoever_asks():
    for i in range(12):
        SERVE.ask("/broken", f"127.8.{i}.1", agent=f"visitor {i}")
    number = SERVE.one("leak")
    whole = wait_for(lambda: (w := SERVE.whole(number))["actor"]["findings"] == 12 and w, "all of them")
    assert whole["actor"]["classes"] == ["disclosure"] and whole["actor"]["addresses"] == 12
    assert list(sums(whole, "path")) == ["/broken"] and len(SERVE.intrusions()) == 3


@case
def each_has_a_bundle_of_its_own():
    """What came before it opened is in it; what is another's is not."""
    for kind, verdict in (("injection", "blocked"), ("leak", "answer blocked")):
        number = SERVE.one(kind)
        whole = SERVE.whole(number)
        leaves = bundles.exported(GUIA, str(number), SERVE.run.parent / f"bag-{kind}", "--run-dir", SERVE.run, "--export-key", SERVE.export_key)
        blocks = [leaf for leaf in leaves if leaf["kind"] == "block"]
        assert {leaf["source"] for leaf in blocks} == set(sums(whole, "source")), blocks
        assert len(blocks) == whole["actor"]["findings"] and {leaf["verdict"] for leaf in blocks} == {verdict}, (len(blocks), whole["actor"])
        assert {leaf.get("incident", number) for leaf in blocks} == {number}, blocks
        assert kind == "leak" or any(leaf.get("incident") == number for leaf in blocks), blocks
        messages = bundles.blocks_of(SERVE.run.parent / f"bag-{kind}")
        asked, answered = ([block for head, block in messages if head["WARC-Type"] == what] for what in ("request", "response"))
        assert len(asked) == len(blocks) and len(answered) == (len(blocks) if kind == "leak" else 0), (kind, len(asked), len(answered))
        assert all(block.startswith(b"HTTP/1.1 200 ") and b"mysql_connect() failed" in block for block in answered), answered
        told = [leaf for leaf in leaves if leaf["kind"] == "incident"]
        assert {leaf["incident"] for leaf in told} == {number} and told[0]["change"] == "opened" and told[-1]["of"] == kind, told


@case
def an_upload_and_who_asks_for_it_later():
    part = b'--B\r\nContent-Disposition: form-data; name="f"; filename="c99x.php"\r\n\r\n<?php system($_GET[1]);\r\n--B--\r\n'
    SERVE.ask("/upload", "127.9.1.1", "b.test", method="POST", body=part, Content_Type="multipart/form-data; boundary=B")
    number = SERVE.one("shell")
    assert SERVE.whole(number)["phase"] in ("onset", "rising")
    assert SERVE.ask("/files/c99x.php", "127.9.9.9", "b.test") == 200
    wait_for(lambda: any("c99x.php, was asked for and answered" in e["text"] for e in SERVE.whole(number)["timeline"]), "who asks for it")
    assert [s["site"] for s in SERVE.whole(number)["sites"]] == ["b.test"]


def raw(text, source):
    with socket.create_connection(("127.0.0.1", SERVE.port), timeout=120, source_address=(source, 0)) as s:
        s.sendall(text)
        while s.recv(65536):
            pass


class Elements(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = set()

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        assert not any(name.startswith("on") or name in ("src", "href") for name, _ in attrs), (tag, attrs)


@case
def hostile_texts_hurt_nobody_who_reads():
    pieces = (b"<script>alert(1)</script>", b"\"><img src=x onerror=alert(1)>", b"\x1b]0;owned\x07", b"\x1b[2J", b"'); DROP TABLE incident;--",
              b"%s%n%x", b"\xff\xfe\x80", "\u202egnp.exe".encode(), b"</td></table>", b"{{7*7}}", b"\x7f\x01", b"`id`", b"${jndi:ldap://x}",
              b"announce route 0.0.0.0/0 next-hop self", "\u2028".encode(), b"&lt;b&gt;", b"\\u003cb", b"a" * 400, b"-->", b"]]>")
    for i in range(200):
        nasty = pieces[i % len(pieces)] + b" %d " % i + pieces[(i * 7 + 3) % len(pieces)]
        target = b"/x%d/" % i + nasty.replace(b" ", b"+").replace(b"\x01", b"").replace(b"\x7f", b"") + b"?q=1'%20or%20'1'='1"
        raw(b"GET " + target + b" HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nUser-Agent: sqlmap " + nasty + b"\r\nX-N: 1\r\n\r\n",
            "127.11.1.1")
    found = wait_for(lambda: [i for i in SERVE.intrusions() if "127.11.1.1" in sums(SERVE.whole(i["incident"]), "source")], "the incident")
    number = str(found[0]["incident"])
    wait_for(lambda: SERVE.whole(number)["actor"]["findings"] >= 100, "those that nginx let through")
    text = SERVE.guia("incidents", number)
    assert not [c for c in text if c < 0x20 and c != 0x0a or c == 0x7f], text
    text.decode()
    for language in ("en", "pt", "zh-Hant"):
        page = SERVE.guia("report", number, "--lang", language).decode()
        elements = Elements()
        elements.feed(page)
        assert not elements.seen & {"script", "img", "a", "link"}, elements.seen
        assert not [c for c in page if ord(c) < 0x20 and c != "\n" or c in "\x7f\u202e\u2028"]
        assert "127.11.1.1" in page and "attacker" not in page
    assert len(SERVE.incidents()) >= 4


@case
def a_killed_watch_goes_on_with_what_is_on():
    all_is_read()
    number, written = min(i["incident"] for i in SERVE.intrusions() if i["kind"] == "injection"), []
    wait_for(lambda: written.append(SERVE.whole(number)["actor"]["findings"]) or written[-4:].count(written[-1]) == 4, "all of it written down",
             seen=lambda: written, pause=1)
    findings, before = written[-1], len(SERVE.intrusions())
    pid = wait_for(SERVE.watch, "a watch")["pid"]
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: (SERVE.watch() or {"pid": pid})["pid"] != pid, "another watch")
    SERVE.ask("/search?q=1'%20or%20'1'='1", "127.0.0.3")
    wait_for(lambda: SERVE.whole(number)["actor"]["findings"] > findings, "it goes on")
    assert SERVE.whole(number)["actor"]["findings"] == findings + 1, "what the rings still hold is not taken again"
    assert len(SERVE.intrusions()) == before


atexit.register(SERVE.end)
main()
