"""What the watch asks of the kernel fails, or is the last that it does, while requests are blocked: the watch and the gate go on, every request is
a record once, and the log verifies. TAP.

Usage: evidence_faults_test.py GUIA
"""
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time

from harness import FOLDER, GUIA, PATIENCE, Origin, Serve, Skip, case, main, site, wait_for

import processes

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "evidence"))
import records  # pylint: disable=wrong-import-position

FAULTS_SECONDS = 3  # while which calls fail
ERRORS = ["fdatasync:error=EIO:when=3+5", "pwritev:error=ENOSPC:when=2+3", "renameat2:error=EIO:when=2+3", "ftruncate:error=EIO",
          "syncfs:error=EIO", "openat:error=EMFILE:when=2+2", "pread64:error=EIO:when=2+3", "pwrite64:error=EIO:when=2+2", "mmap:error=ENOMEM"]
SLOW = "fdatasync:delay_exit=2000000"
DEATHS = ["pwritev:signal=KILL:when=9", "fdatasync:signal=KILL:when=5", "pwrite64:signal=KILL:when=5", "renameat2:signal=KILL:when=2"]


def ask(gate, *words):
    return subprocess.run([GUIA, *words, "-c", gate.config], capture_output=True, check=False, timeout=300)


def status(gate):
    done = ask(gate, "status", "--json")
    return json.loads(done.stdout) if done.returncode in (0, 1) else {}


class Asker(threading.Thread):
    """Asks for what is blocked on connections of its own; counts what was answered."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.count, self.ends = port, 0, threading.Event()
        self.start()

    def run(self):
        while not self.ends.wait(0.1):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
            for number in range(10):
                connection.request("GET", f"/{number}?q=evil{number}", headers={"Host": "a.test"})
                answer = connection.getresponse()
                answer.read()
                assert answer.status == 403, answer.status
                self.count += 1
            connection.close()

    def end(self):
        self.ends.set()
        self.join()
        return self.count


class Tracer:
    """Injects into all threads of a process until it is ended."""

    def __init__(self, pid, injection):
        self.path = FOLDER / "trace"
        self.path.write_text("")
        self.process = subprocess.Popen(["strace", "-f", "-o", self.path, "-p", str(pid), "-e", f"inject={injection}", "-e",
                                         "trace=" + injection.split(":")[0]], stderr=subprocess.DEVNULL)

    def count(self, what="(INJECTED)"):
        return self.path.read_text(errors="replace").count(what)

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(PATIENCE)


def may_trace():
    asleep = subprocess.Popen(["sleep", "600"])
    tracer = shutil.which("strace") and subprocess.Popen(["strace", "-o", os.devnull, "-p", str(asleep.pid)], stderr=subprocess.DEVNULL)
    is_traced = lambda: processes.status(asleep.pid, "TracerPid") not in ("", "0")
    may = bool(tracer) and wait_for(lambda: is_traced() or tracer.poll() is not None, "a tracer, or none") and tracer.poll() is None
    if may:
        tracer.send_signal(signal.SIGINT)
        tracer.wait(PATIENCE)
    asleep.kill()
    asleep.wait(PATIENCE)
    if not may:
        raise Skip("needs strace, and to be allowed to trace")


def with_fault(injection, dies):
    origin, certificate = Origin(), FOLDER / "export.crt"
    if not certificate.exists():
        assert subprocess.run([GUIA, "evidence", "export-key", FOLDER / "export.key", "-o", certificate], capture_output=True, check=False).returncode == 0
        certificate.chmod(0o644)
    with Serve(f"{site(origin)}evidence: {{export_certificate: {certificate}}}\n") as gate:
        wait_for(lambda: status(gate).get("evidence", {}).get("sealed"), "a record")
        log, pid = pathlib.Path(status(gate)["evidence"]["folder"]), status(gate)["watch"]["pid"]
        askers = [Asker(gate.port), Asker(gate.port)]
        wait_for(lambda: all(asker.count > 20 for asker in askers), "requests")
        tracer = Tracer(pid, injection)
        if dies:
            wait_for(lambda: status(gate).get("watch", {}).get("pid") not in (None, pid), "another watch")
        else:
            time.sleep(FAULTS_SECONDS)
            wait_for(lambda: tracer.count() > 0, "a fault")
        tracer.end()
        before = status(gate).get("evidence", {}).get("sealed", 0)
        wait_for(lambda: status(gate).get("evidence", {}).get("sealed", 0) > before, "more records")
        assert dies or status(gate)["watch"]["pid"] == pid, "the watch died"
        assert gate.get("/")[0] == 200
        sent = sum(asker.end() for asker in askers)
        wait_for(lambda: json.loads(ask(gate, "incidents", "--json").stdout or "[]"), "an incident in the history")
        assert gate.end() == 0
        done = subprocess.run([GUIA, "evidence", "verify", log], capture_output=True, check=False, timeout=300)
        assert done.returncode == 0, done
        told = records.of_log(log)
        blocks = records.of_kind(told, "block")
        total = sum(record["total"] for record in records.of_kind(told, "refusals") if record["rule"] == "rule 100")
        names = {(record["worker"], record["number"]) for record in blocks}
        assert len(blocks) == len(names) == total == sent, (injection, len(blocks), len(names), total, sent)
        gaps = [record["cause"] for record in records.of_kind(told, "gap")]
        assert gaps == (["the log was not closed"] if dies else []), (injection, gaps)
    origin.stop()


@case
def calls_that_fail_lose_nothing_and_end_nothing():
    may_trace()
    for injection in ERRORS:
        with_fault(injection, dies=False)


@case
def a_watch_that_is_killed_in_the_midst_of_a_call_leaves_a_gap_that_is_stated():
    may_trace()
    for injection in DEATHS:
        with_fault(injection, dies=True)


@case
def a_disk_that_is_slow_at_the_end_has_all_and_the_log_is_closed():
    may_trace()
    origin = Origin()
    with Serve(site(origin)) as gate:
        wait_for(lambda: status(gate).get("evidence", {}).get("sealed"), "a record")
        log, tracer = pathlib.Path(status(gate)["evidence"]["folder"]), Tracer(status(gate)["watch"]["pid"], SLOW)
        askers = [Asker(gate.port), Asker(gate.port)]
        wait_for(lambda: all(asker.count > 20 for asker in askers) and tracer.count("(DELAYED)") > 0, "requests, and a slow disk")
        sent = sum(asker.end() for asker in askers)
        assert gate.end() == 0
        tracer.end()
        done = subprocess.run([GUIA, "evidence", "verify", log], capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0 and "the log was not closed" not in done.stdout, done
        told = records.of_log(log)
        assert told[-1]["kind"] == "close" and len(records.of_kind(told, "block")) == sent, (told[-1], sent)
    origin.stop()


if __name__ == "__main__":
    main()
