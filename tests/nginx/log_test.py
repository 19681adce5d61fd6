"""Logs: no record is torn, mixed or lost but is told of; a log that is slow, full or gone makes no request wait."""
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time

from harness import Gate, Origin, case, free_port, main, raw, wait_until

RULES = """
SecRuleEngine On
SecAuditEngine RelevantOnly
SecAuditLogFormat JSON
SecAuditLogParts ABHZ
SecAuditLog {audit}
SecRule ARGS "@contains note" "id:1,phase:1,pass,log,auditlog,t:none"
SecRule ARGS "@contains evil" "id:2,phase:1,deny,status:403,log,auditlog,t:none"
"""


class Place:
    """A gate whose audit log is `audit`, with more in its http block or in front of its error log."""

    def __init__(self, audit="{folder}/audit.log", http="", workers=1, error_log="{folder}/error.log info", before=None):
        self.port = free_port()
        self.gate = Gate("", workers=workers, start=False)
        folder = self.gate.folder
        if before is not None:
            before(folder)
        self.gate.write("rules.conf", RULES.format(audit=audit.format(folder=folder)))
        self.gate.configure(f"""{http}
access_log off;
error_log {error_log.format(folder=folder)};
large_client_header_buffers 4 64k;
keepalive_requests 1000000;
server {{ listen 127.0.0.1:{self.port}; guia on; guia_rules rules.conf; location / {{ try_files /page.html =404; }} }}
root {folder};
""")
        self.gate.write("page.html", "<p>fine</p>")
        self.gate.start()

    def ask(self, first, count, pad="", status=403):
        """`count` requests on one connection, numbered from `first`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        for number in range(first, first + count):
            connection.request("GET", f"/?a=note+evil&n={number}n&pad={pad}")
            reply = connection.getresponse()
            reply.read()
            assert reply.status == status, reply.status
        connection.close()

    def numbers(self, *names):
        """-> the numbers of the requests whose audit records are there, in the order of the files"""
        found = []
        for name in names or ("audit.log",):
            for line in self.gate.log_lines(name):
                found.append(int(re.search(r"n=(\d+)n", json.loads(line)["transaction"]["request"]["uri"])[1]))
        return found

    @staticmethod
    def audited(folder):
        return (folder / "audit.log").read_bytes().count(b"\n")

    def complaints(self, what):
        return [l for l in self.gate.log_lines("error.log") if "[alert]" in l and what in l]


def said(lines):
    """How many all these lines speak of."""
    return sum(int(re.search(r"(\d+) (?:requests|records)", l)[1]) for l in lines)


@case("every record is there, whole and in order; and whoever sees the last of a request sees all")
def _():
    place = Place()
    place.ask(0, 3000)
    wait_until(lambda: len(place.numbers()) >= 3000, "the records")
    assert place.numbers() == list(range(3000))
    lines = place.gate.log_lines("error.log")
    assert len([l for l in lines if '[id "1"]' in l]) == 3000 and len([l for l in lines if '[id "2"]' in l]) == 3000
    assert len([l for l in lines if "guia: request denied" in l]) == 3000
    for number in range(3000, 3020):
        place.ask(number, 1)
        wait_until(lambda n=number: n in place.numbers(), "the record")
        unique = json.loads(place.gate.log_lines("audit.log")[-1])["transaction"]["unique_id"]
        assert len([l for l in place.gate.log_lines("error.log") if unique in l]) == 3
    place.gate.close()


@case("logs that are opened again lose nothing, and what came before stands in the old ones")
def _():
    place = Place(workers=2)
    runs = [threading.Thread(target=place.ask, args=(n * 10000, 1500)) for n in range(3)]
    for run in runs:
        run.start()
    names = []
    for n in range(5):
        time.sleep(0.1)
        names.append(f"audit.{n}")
        (place.gate.folder / "audit.log").rename(place.gate.folder / names[-1])
        (place.gate.folder / "error.log").rename(place.gate.folder / f"error.{n}")
        place.gate.signal(signal.SIGUSR1)
        wait_until((place.gate.folder / "audit.log").exists, "the new file")
        wait_until((place.gate.folder / "error.log").exists, "the new file")
    for run in runs:
        run.join()
    every = sorted(n * 10000 + i for n in range(3) for i in range(1500))
    wait_until(lambda: len(place.numbers(*names, "audit.log")) >= len(every), "the records")
    assert sorted(place.numbers(*names, "audit.log")) == every
    lines = [l for name in [f"error.{n}" for n in range(5)] + ["error.log"] for l in place.gate.log_lines(name)]
    assert len([l for l in lines if '[id "2"]' in l]) == len(every)
    place.ask(99999, 1)
    wait_until(lambda: 99999 in place.numbers(), "a record in the newest file")
    place.gate.close()


@case("a reload, a graceful end and a quick one write what there is")
def _():
    place = Place()
    place.ask(0, 200)
    place.gate.reload()
    wait_until(lambda: len(place.numbers()) == 200, "the records")
    for number in (signal.SIGQUIT, signal.SIGTERM):
        before = len(place.numbers())
        place.ask(before, 200)
        place.gate.stop(number)
        assert place.numbers() == list(range(before + 200)), number
        place.gate.start()
    place.gate.close()


@case("a worker that is killed has written what is some milliseconds old")
def _():
    place = Place()
    place.ask(0, 500)
    wait_until(lambda: len(place.numbers()) == 500, "what is some milliseconds old")
    place.gate.kill_workers()
    assert place.numbers() == list(range(500))
    place.ask(500, 1)
    wait_until(lambda: 500 in place.numbers(), "its record")
    place.gate.close()


@case("a full disk is told of, with how many records it cost, and requests go on")
def _():
    place = Place(audit="/dev/full")
    place.ask(0, 100)
    wait_until(lambda: said(place.complaints("No space left")) == 100, "what was lost")
    assert all('to "/dev/full"' in l for l in place.complaints("No space left"))
    assert len([l for l in place.gate.log_lines("error.log") if '[id "2"]' in l]) == 100
    place.gate.close()


@case("the last of a log's disk is left to others, what that costs is told, and it ends when there is room again")
def _():
    if os.getuid() != 0:
        return
    disk = pathlib.Path(tempfile.mkdtemp(prefix="guia-log-disk-"))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=0777", "tmpfs", disk], check=False)
    if mounted.returncode != 0:
        return
    try:
        place = Place(audit=f"{disk}/audit.log")
        (disk / "others").write_bytes(b"x" * (63 << 20))
        shed = lambda: said(place.complaints("of a log's disk is free"))
        asked = 0

        def ask_100():
            """-> how many of a hundred requests' records were shed"""
            nonlocal asked
            before = shed()
            place.ask(asked, 100)
            asked += 100
            wait_until(lambda: place.audited(disk) + shed() == asked, "each record, or word of it")
            return shed() - before
        wait_until(lambda: ask_100() > 90, "the last of the disk is left alone")
        (disk / "others").unlink()
        wait_until(lambda: ask_100() == 0, "with one of each second's requests the disk is looked at again")
        assert not place.complaints("No space left")
        place.gate.close()
    finally:
        subprocess.run(["umount", disk], check=True)
        disk.rmdir()


@case("a log that takes nothing makes no request wait; what it cost is told; the worker ends all the same")
def _():
    readers = []

    def pipe(folder):
        os.mkfifo(folder / "pipe")
        readers.append(os.open(folder / "pipe", os.O_RDONLY | os.O_NONBLOCK))
    place = Place(audit="{folder}/pipe", http="guia_log_rate 0;", before=pipe)
    place.ask(0, 700, pad="x" * 20000)
    wait_until(lambda: place.complaints("does not take them fast enough"), "what was shed")
    got = bytearray()

    def all_known():  # what is shed may be told in several lines, a second apart
        try:
            got.extend(os.read(readers[0], 1 << 20))
        except BlockingIOError:
            pass
        return got.count(b"\n") + said(place.complaints("does not take them fast enough")) >= 700
    wait_until(all_known, "every record, or word of it")
    records = [json.loads(l) for l in got.splitlines()]
    shed = said(place.complaints("does not take them fast enough"))
    assert 0 < shed < 700 and len(records) == 700 - shed, (shed, len(records))
    place.ask(700, 100, pad="x" * 20000)
    assert place.gate.stop(signal.SIGQUIT) == 0, "it had to be killed"
    assert place.complaints("Connection timed out") or place.complaints("does not take them fast enough")
    os.close(readers[0])


@case("what passes the rate is shed whole, and counted")
def _():
    place = Place(http="guia_log_rate 2k;")
    place.ask(0, 1000)
    place.gate.stop(signal.SIGQUIT)
    kept, shed = place.numbers(), said(place.complaints("passed guia_log_rate"))
    assert 0 < len(kept) < 1000 and len(kept) + shed == 1000, (len(kept), shed)
    lines = place.gate.log_lines("error.log")
    assert len([l for l in lines if '[id "1"]' in l]) == len([l for l in lines if "guia: request denied" in l]) == len(kept)


@case("an error log by syslog gets the lines too")
def _():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as syslog:
        syslog.bind(("127.0.0.1", 0))
        syslog.settimeout(60)
        place = Place(error_log=f"syslog:server=127.0.0.1:{syslog.getsockname()[1]} info")
        place.ask(0, 1)
        lines = []
        while len([l for l in lines if b"denied" in l]) < 2:
            lines.append(syslog.recv(65536))
        assert [l for l in lines if b'[id "1"]' in l and b"ModSecurity: Warning" in l], lines
        place.gate.close()


main()
