"""The evidence that guia serve keeps, with a real nginx: what happens is a record, whatever becomes of the watch, the disk and the log.
TAP.

Usage: evidence_test.py GUIA JUMPING_CLOCK
"""
import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

from harness import FOLDER, GUIA, PATIENCE, Origin, RULE_FILE, Serve, Skip, case, free_port, main, site, wait_for, write

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "evidence"))
from authority import Authority, openssl  # pylint: disable=wrong-import-position
import records  # pylint: disable=wrong-import-position
from small_disk import small_disk  # pylint: disable=wrong-import-position


LIVES = 3  # of a watch that is killed
CLOCK = pathlib.Path(sys.argv.pop(2)).resolve()


def ask(gate, *words):
    return subprocess.run([GUIA, *words, "-c", gate.config], capture_output=True, check=False, timeout=300)


def status(gate):
    done = ask(gate, "status", "--json")
    return json.loads(done.stdout) if done.returncode in (0, 1) else {}


def evidence(gate):
    return status(gate).get("evidence", {})


def folder_of(gate):
    return pathlib.Path(wait_for(lambda: evidence(gate).get("folder"), "a folder of evidence"))


def kept(gate):
    """The log, open."""
    wait_for(lambda: evidence(gate).get("sealed"), "a record")
    return folder_of(gate)


def verified(log, *words, code=0):
    done = subprocess.run([GUIA, "evidence", "verify", log, *words], capture_output=True, check=False, timeout=300)
    assert done.returncode == code, (done.returncode, done.stdout.decode(), done.stderr.decode())
    return done.stdout.decode()


def blocked(gate, count):
    """Requests of one connection that are blocked -> its port."""
    connection = http.client.HTTPConnection("127.0.0.1", gate.port, timeout=120)
    try:
        for number in range(count):
            connection.request("GET", f"/{number % 8}?q=evil{number}", headers={"Host": "a.test"})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 403
        return connection.sock.getsockname()[1]
    finally:
        connection.close()


def total(told, kind, **wanted):
    return sum(record["total"] for record in records.of_kind(told, kind) if all(record[key] == value for key, value in wanted.items()))


@case
def what_happens_is_a_record():
    origin = Origin()
    with Serve(site(origin)) as gate:
        log = kept(gate)
        assert log.stat().st_mode & 0o777 == 0o700 and (log / "key.pem").stat().st_mode & 0o777 == 0o600
        began = time.time()
        port = blocked(gate, 20)
        assert gate.get("/")[0] == 200
        assert ask(gate, "ban", "192.0.2.7", "--for", "90s", "--why", "floods").returncode == 0
        assert ask(gate, "unban", "198.51.100.1").returncode != 0
        assert ask(gate, "mode", "a.test", "guarded", "--for", "5s", "--why", "a drill").returncode == 0
        wait_for(lambda: evidence(gate)["unsigned"] == 0 and evidence(gate)["sealed"] >= 26, "all signed")
        fingerprint = evidence(gate)["key"]
        wait_for(lambda: f"fingerprint of its key: {fingerprint}" in gate.said(), "the fingerprint")
        assert " of them unsigned" in ask(gate, "status").stdout.decode()
        assert gate.end() == 0
        verified(log, "--key", fingerprint)
        told = records.of_log(log)
        kinds = [record["kind"] for record in told]
        assert kinds[:2] == ["epoch", "start"] and kinds[-1] == "close", kinds
        assert all(before["t"] <= after["t"] for before, after in zip(told, told[1:]))
        assert all(record["clock"] in ("synchronised", "unsynchronised") and record["error_us"] >= 0 for record in told)
        blocks = records.of_kind(told, "block")
        assert len(blocks) == 20 and len({record["request"] for record in blocks}) == 20, blocks
        for record in blocks:
            assert record["site"] == "a.test" and record["source"] == "127.0.0.1" and record["port"] == port, record
            assert record["verdict"] == "blocked" and record["status"] == 403 and record["rules"] == "100", record
            assert record["method"] == "GET" and "?q=evil" in record["uri"] and len(record["request"]) == 32, record
            assert began - 1 <= record["at"] / 1000 <= time.time(), record
        assert total(told, "refusals", site="a.test", rule="rule 100") == 20
        orders = records.of_kind(told, "order")
        assert [record["order"].split()[0] for record in orders] == ["ban", "unban", "mode"], orders
        assert all(record["user"] == os.geteuid() for record in orders)
        assert json.loads(orders[0]["answer"])["why"] == "floods" and "fault" in json.loads(orders[1]["answer"])
        digests = {record["of"]: record for record in records.of_kind(told, "digest")}
        for of, path in (("configuration", gate.config), ("rules", RULE_FILE), ("nginx", gate.run / "nginx.conf"), ("program", GUIA)):
            assert digests[of]["sha256"] == hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest(), digests[of]
            assert digests[of]["name"] == str(path)
        assert "module" in digests
    origin.stop()


@case
def rules_that_rules_include_are_stated():
    origin = Origin()
    write("words.data", "evil\n")
    inner = write("inner.conf", 'SecRule ARGS "@pmFromFile words.data" "id:7,phase:2,deny"\n')
    outer = write("outer.conf", f"SecRuleEngine On\nInclude {FOLDER}/inn*.conf\n")
    with Serve(f"{site(origin)}    rules: {outer}\n") as gate:
        log = kept(gate)
        assert gate.end() == 0
        names = {record["name"] for record in records.of_kind(records.of_log(log), "digest") if record["of"] == "rules"}
        assert {RULE_FILE, outer, inner, str(FOLDER / "words.data")} <= names, names
    origin.stop()


class Asker(threading.Thread):
    """Asks for what is blocked, again and again on connections of its own, until it is told to end; counts what was answered."""

    def __init__(self, gate):
        super().__init__(daemon=True)
        self.gate, self.count, self.ends = gate, 0, threading.Event()

    def run(self):
        while not self.ends.is_set():
            blocked(self.gate, 20)
            self.count += 20
            self.ends.wait(0.2)  # fewer than are sampled, also of what a watch finds when it begins

    def end(self):
        self.ends.set()
        self.join()


@case
def a_watch_that_is_killed_leaves_a_gap_that_is_stated_and_nothing_missing():
    """Nor is anything there twice: each request once, and totals as many as there were."""
    origin = Origin()
    with Serve(site(origin)) as gate:
        log = kept(gate)
        askers = [Asker(gate), Asker(gate)]
        for asker in askers:
            asker.start()
        for _ in range(LIVES):
            pid = wait_for(lambda: status(gate).get("watch", {}).get("pid"), "a watch")
            began, sealed = sum(asker.count for asker in askers), evidence(gate).get("sealed", 0)
            wait_for(lambda: sum(asker.count for asker in askers) > began + 300 and evidence(gate).get("sealed", 0) > sealed, "more of it")
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda: status(gate).get("watch", {}).get("pid") not in (None, pid), "another watch")
        for asker in askers:
            asker.end()
        assert gate.end() == 0
        assert "the log was not closed" in verified(log)
        told, sent = records.of_log(log), sum(asker.count for asker in askers)
        blocks = records.of_kind(told, "block")
        assert not any("one_of" in record for record in blocks)
        assert len(blocks) == sent and len({(record["worker"], record["number"]) for record in blocks}) == sent, (len(blocks), sent)
        assert total(told, "refusals", site="a.test", rule="rule 100") == sent, (total(told, "refusals"), sent)
        gaps = records.of_kind(told, "gap")
        assert [gap["cause"] for gap in gaps] == ["the log was not closed"] * LIVES and all(gap["since"] <= gap["until"] for gap in gaps)
    origin.stop()


@case
def a_log_is_closed_whole_when_nginx_dies():
    origin = Origin()
    with Serve(site(origin)) as gate:
        log = kept(gate)
        blocked(gate, 20)
        os.kill(int((gate.run / "nginx.pid").read_text()), signal.SIGKILL)
        assert gate.process.wait(PATIENCE) == 3 and "ended by signal 9" in gate.said(), gate.said()
        assert "the log was not closed" not in verified(log)
        told = records.of_log(log)
        assert told[-1]["kind"] == "close" and len(records.of_kind(told, "block")) == 20, told
    origin.stop()


def messages(log, key):
    """All that were sealed, by what records commit to."""
    found = {}
    for parcel in log.glob("bodies/*/*.cms"):
        data = openssl("cms", "-decrypt", "-binary", "-inform", "DER", "-in", parcel, "-inkey", key)
        while data:
            line, _, rest = data.partition(b"\n")
            head = json.loads(line)
            message, data = rest[:head["bytes"]], rest[head["bytes"] + 1:]
            found[hashlib.sha256(bytes.fromhex(head["salt"]) + message).hexdigest()] = message
    return found


@case
def messages_are_sealed_to_the_export_key():
    origin = Origin()
    key, certificate = FOLDER / "export.key", FOLDER / "export.crt"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", certificate, "-subj", "/CN=export")
    certificate.chmod(0o644)
    with Serve(f"{site(origin)}evidence: {{export_certificate: {certificate}}}\n") as gate:
        log = kept(gate)
        wait_for(lambda: "messages" in evidence(gate), "a store of messages")
        assert gate.curl("http://127.0.0.1:PORT/form", "-H", "Host: a.test", "-d", "password=hunter2&q=evil")[0] == 403
        for path, status_of in (("/leak", 403), ("/leak-large", 403), ("/leak-chunked", 403), ("/", 200)):
            assert gate.get(path)[0] == status_of
        assert gate.end() == 0
        verified(log)
        # Of several workers: which came first is not said.
        blocks = {record["uri"]: record for record in records.of_kind(records.of_log(log), "block")}
        block = blocks.pop("/form")
        assert sorted(blocks) == ["/leak", "/leak-chunked", "/leak-large"], blocks
        for answer, large in ((answer, uri == "/leak-large") for uri, answer in blocks.items()):
            sent = messages(log, key)[answer["answer"]]
            head, _, page = sent.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 OK\r\n") and b"\r\nContent-Type: text/html" in head, head
            assert answer["verdict"] == "answer blocked" and page.startswith(b"page of everybody") and b"SECRET-LEAK" in page, (answer, page)
            assert large == (32768 <= len(page) <= 65536 and page.endswith(b"xxx")), len(page)
            assert messages(log, key)[answer["body"]].startswith(b"GET /"), answer
        assert "answer" not in block
        message = messages(log, key)[block["body"]]
        assert message.startswith(b"POST /form HTTP/1.1\r\n") and message.endswith(b"\r\n\r\npassword=hunter2&q=evil"), message
        kept_files = [path for path in log.rglob("*") if path.is_file() and (b"hunter2" in path.read_bytes() or b"SECRET-LEAK" in path.read_bytes())]
        assert not kept_files, kept_files
    origin.stop()


@case
def answers_that_were_only_detected_are_kept_too():
    """They went out: what was in them is what matters afterwards."""
    origin = Origin()
    key, certificate = FOLDER / "detect.key", FOLDER / "detect.crt"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", certificate, "-subj", "/CN=export")
    certificate.chmod(0o644)
    with Serve(f"{site(origin)}detect: true\nevidence: {{export_certificate: {certificate}}}\n") as gate:
        log = kept(gate)
        wait_for(lambda: "messages" in evidence(gate), "a store of messages")
        for path in ("/leak", "/leak-large", "/leak-chunked", "/"):
            assert gate.get(path)[0] == 200
        assert gate.end() == 0
        verified(log)
        blocks = {record["uri"]: record for record in records.of_kind(records.of_log(log), "block")}
        assert sorted(blocks) == ["/leak", "/leak-chunked", "/leak-large"], blocks
        for uri, block in blocks.items():
            head, _, page = messages(log, key)[block["answer"]].partition(b"\r\n\r\n")
            assert block["verdict"] == "answer would be blocked" and head.startswith(b"HTTP/1.1 200 OK\r\n"), (uri, block, head)
            assert page.startswith(b"page of everybody") and b"SECRET-LEAK" in page and (uri == "/leak-large") == (len(page) >= 32768), (uri, len(page))
    origin.stop()


@case
def what_it_is_closed_with_is_timestamped():
    origin, authority = Origin(), Authority(FOLDER, "authority")
    with Serve(f"{site(origin)}evidence:\n  folder: {FOLDER}/apart\n  authority: {authority.url}\n") as gate:
        log = kept(gate)
        assert log == FOLDER / "apart" and log.stat().st_mode & 0o777 == 0o700
        blocked(gate, 1)
        assert gate.end() == 0
        replies = list(log.glob("0001/timestamps/*.tsr"))
        assert replies
        for reply in replies:
            openssl("ts", "-verify", "-in", reply, "-data", reply.with_suffix(".checkpoint"), "-CAfile", authority.folder / "ca.crt")
        assert "timestamps" in verified(log, "--authorities", authority.folder / "ca.crt")
    authority.end()
    origin.stop()


class Clock:
    """The wall clock of all that runs with `environment`: behind ours, until it is set."""

    def __init__(self, seconds):
        self.file = FOLDER / "offset"
        self.file.write_text(str(seconds))
        self.environment = {**os.environ, "LD_PRELOAD": str(CLOCK), "GUIA_CLOCK": str(self.file)}

    def set(self, seconds):
        (FOLDER / "new-offset").write_text(str(seconds))
        (FOLDER / "new-offset").rename(self.file)


@case
def an_incident_is_timestamped_when_it_opens_when_it_is_over_and_when_it_is_handed_on():
    """Each at once: not with the next minute's. The clock is set ahead for the incident to be over."""
    origin, authority, clock, began = Origin(), Authority(FOLDER, "stamps"), Clock(-400), time.monotonic()
    taken = lambda: evidence(gate).get("timestamps", {}).get("taken", 0)
    history = lambda: json.loads(ask(gate, "incidents", "--json").stdout or "[]")
    with Serve(f"{site(origin)}evidence: {{authority: {authority.url}}}\n", env=clock.environment) as gate:
        log = kept(gate)
        blocked(gate, 30)
        wait_for(lambda: taken() >= 1 and history(), "the opening's", seen=gate.said)
        [incident] = history()
        assert incident["kind"] == "scan", incident
        clock.set(0)
        wait_for(lambda: taken() >= 2 and history()[0]["phase"] == "over", "the end's", seen=lambda: (taken(), history(), gate.said()))
        done = subprocess.run([GUIA, "evidence", "export", "1", "-o", FOLDER / "stamped", "--why", "asked for", "-c", gate.config],
                              capture_output=True, check=False, timeout=300)
        assert done.returncode == 0 and b"not timestamped" not in done.stdout, done
        # The bundle waits for the stamp of its end. That of its beginning may be the same, where the authority is slower than the export.
        assert taken() in (3, 4) or time.monotonic() > began + 55, (taken(), gate.said())
        assert gate.end() == 0
        openssl("ts", "-verify", "-in", FOLDER / "stamped/export.tsr", "-data", FOLDER / "stamped/export.checkpoint", "-CAfile",
                authority.folder / "ca.crt")
        verified(log, "--authorities", authority.folder / "ca.crt")
        verified(FOLDER / "stamped", "--authorities", authority.folder / "ca.crt")
        told = records.of_log(log)
        sizes = sorted(int(path.stem) for path in log.glob("0001/timestamps/*.tsr"))
        of = {(leaf["kind"], leaf.get("change", leaf.get("step"))): at for at, leaf in enumerate(told)}
        marks = [of["incident", "opened"], of["incident", "closed"], of["export", "finished"], len(told)]
        assert all(any(one < size <= next_one for size in sizes) for one, next_one in zip(marks, marks[1:])), (marks, sizes)
        assert records.of_kind(told, "clock-step")
    authority.end()
    origin.stop()


@case
def a_key_that_is_lost_opens_an_epoch():
    origin = Origin()
    with Serve(site(origin)) as gate:
        log = kept(gate)
        gate.end()
        (log / "key.pem").unlink()
        gate.start()
        wait_for(lambda: evidence(gate).get("epoch") == 2, "another epoch")
        assert evidence(gate)["new_epoch_because"] == "the key is lost"
        wait_for(lambda: "the key is lost; evidence goes on in epoch 2" in gate.said(), "a word")
        gate.end()
        verified(log)
    origin.stop()


@case
def a_log_that_is_damaged_is_left_and_gone_on_from():
    origin = Origin()
    with Serve(site(origin)) as gate:
        log = kept(gate)
        gate.end()
        for half in log.glob("0001/journal.*"):
            half.write_bytes(b"damaged" * 1000)
        before = {path: path.read_bytes() for path in log.glob("0001/**/*") if path.is_file()}
        gate.start()
        wait_for(lambda: evidence(gate).get("epoch") == 2, "another epoch")
        assert evidence(gate)["new_epoch_because"] == "the journal is missing" and gate.get("/")[0] == 200
        blocked(gate, 1)
        gate.end()
        assert all(path.read_bytes() == content for path, content in before.items())
        assert len(records.of_kind(records.of_log(log), "block")) == 1
    origin.stop()


@case
def a_folder_that_cannot_be_written_to_is_said_and_the_gate_serves():
    origin = Origin()
    with Serve(site(origin)) as gate:
        log = kept(gate)
        gate.end()
        shutil.rmtree(log)
        log.write_text("no folder")
        gate.start()
        wait_for(lambda: "Not a directory" in evidence(gate).get("fault", ""), "a word")
        wait_for(lambda: "no evidence can be kept: Not a directory" in gate.said(), "the same in its log", seen=gate.said)
        assert gate.get("/")[0] == 200
        assert ": Not a directory" in ask(gate, "status").stdout.decode()
        blocked(gate, 3)
        log.unlink()
        wait_for(lambda: evidence(gate).get("sealed", 0) >= 5, "what had waited")
        gate.end()
        verified(log)
        assert len(records.of_kind(records.of_log(log), "block")) == 3
    origin.stop()


@case
def what_check_says_of_it():
    origin = Origin()
    taken = FOLDER / "taken"
    taken.write_text("a file")
    shown = FOLDER / "shown"
    shown.mkdir(mode=0o755)
    for text, said in ((f"evidence: {{folder: {taken}}}", b"it is no folder"), (f"evidence: {{folder: {shown}}}", b"chmod 700"),
                       ("evidence: {folder: /nowhere/at/all}", b"there is no folder above it"),
                       ("evidence: {authority: \"https://tsa.example\"}", b"`authority` must be an address such as http://"),
                       ("evidence: {authority: http://}", b"`authority` must be"), ("evidence: {where: 1}", b"unknown key `where`"),
                       (f"evidence: {{export_certificate: {RULE_FILE}}}", b"it should be the certificate that"),
                       ("evidence: here", b"`evidence` must be a map")):
        path = write("evidence.yaml", f"rules: {RULE_FILE}\n{text}\n{site(origin)}")
        done = subprocess.run([GUIA, "check", "-c", path], capture_output=True, check=False, timeout=120)
        assert done.returncode == 2 and said in done.stderr, (text, done)
    path = write("evidence.yaml", f"listen: 127.0.0.1:{free_port()}\nrules: {RULE_FILE}\nevidence: {{folder: {FOLDER}/new, authority: \"http://tsa.example:8080/tsr\"}}\n{site(origin)}")
    done = subprocess.run([GUIA, "check", "-c", path], capture_output=True, check=False, timeout=120)
    assert done.returncode == 0 and not (FOLDER / "new").exists(), done
    origin.stop()


def flood(port, count):
    """So many requests that are blocked, many at once on one connection."""
    asked = b"GET /?q=evil HTTP/1.1\r\nHost: a.test\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=300) as connection:
        answers = connection.makefile("rb")
        for _ in range(count // 50):
            connection.sendall(asked * 50)
            for _ in range(50):
                length = 0
                while (line := answers.readline()) not in (b"\r\n", b""):
                    length = int(line.split()[1]) if line.lower().startswith(b"content-length:") else length
                answers.read(length)


def fill_and_empty(place):
    origin, log = Origin(), place / "evidence"
    with Serve(f"{site(origin)}evidence: {{folder: {log}}}\n") as gate:
        wait_for(lambda: evidence(gate).get("signed"), "a signature, whose files have their room then")
        assert sorted(half.stat().st_size for half in log.glob("0001/journal.*")) == [1 << 20] * 2
        with open(place / "fill", "ab", buffering=0) as fill:
            while True:
                try:
                    fill.write(b"x" * 4096)
                except OSError:
                    break
        sent, end = 0, time.monotonic() + 2 * PATIENCE
        while "No space" not in evidence(gate).get("fault", ""):
            flood(gate.port, 500)
            sent += 500
            assert time.monotonic() < end, (sent, evidence(gate))
        assert gate.get("/")[0] == 200
        assert gate.end() == 0
        (place / "fill").unlink()
        assert "there was no room" in verified(log)
        gate.start()
        kept(gate)
        gate.end()
        verified(log)
        told = records.of_log(log)
        assert [record["kind"] for record in told].count("close") == 2
        blocks, lost = records.of_kind(told, "block"), sum(gap["records"] for gap in records.of_kind(told, "gap"))
        assert 0 < len(blocks) < sent and lost > 0, (len(blocks), lost, sent)
        each = all("one_of" not in block for block in blocks)
        stand_for = sum(block.get("one_of", 1) for block in blocks) + lost * (1 if each else 64)
        unread = [(loss["ring"], loss["lost"]) for loss in records.of_kind(told, "ring-loss")]  # a slow machine's watch may be lapped
        assert stand_for + sum(count for ring, count in unread if ring == "findings") >= sent, (stand_for, unread, sent)
    origin.stop()


@case
def a_full_disk_is_said_takes_the_close_and_the_gap_is_stated():
    place = FOLDER / "small"
    place.mkdir()
    if not small_disk(place, 9):
        raise Skip("no file system of our own may be mounted")
    with contextlib.ExitStack() as stack:
        stack.callback(subprocess.run, ["umount", "-l", place], check=True)
        fill_and_empty(place)


main()
