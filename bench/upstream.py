"""How long a decision takes to be a rule in an operator's table: from the question to the keeper until GoBGP tells of the rule, and
until BIRD's table has it. One rule, the median of several; and a thousand at once, until the last is there.

Usage: upstream.py BUILD [--quick]
"""
import json
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "upstream"))
import peers  # noqa: E402

BUILD = pathlib.Path(sys.argv[1]).resolve()
QUICK = "--quick" in sys.argv[2:]
ONES, MANY = (2, 20) if QUICK else (15, 1000)


def rule(number):
    return (f"ask {{}} 600 - bench\tflow route {{{{ match {{{{ destination 192.0.2.{10 + number % 40}/32; source 198.51.{number // 250}."
            f"{number % 250}/32; }}}} then {{{{ discard; }}}} }}}}")


class Monitor:
    """GoBGP's own tale of what comes into its table."""

    def __init__(self, gobgp):
        self.seen, self.last = 0, 0.0
        self.child = subprocess.Popen([peers.program("gobgp"), "-p", str(gobgp.api), "monitor", "global", "rib", "-a", "ipv4-flowspec"],
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.child.stdout:
            if "destination" in line and "[DELROUTE]" not in line and "DEL" not in line.split("[", 2)[1]:
                self.seen, self.last = self.seen + 1, time.monotonic()

    def until(self, count, seconds=peers.PATIENCE):
        peers.wait_until(lambda: self.seen >= count, f"{count} rules, not {self.seen}", seconds)
        return self.last

    def stop(self):
        self.child.terminate()
        self.child.wait(5)


class Table:
    """BIRD's table by its socket, without a program between."""

    def __init__(self, bird):
        self.link = socket.socket(socket.AF_UNIX)
        self.link.connect(str(bird.folder / "bird.ctl"))
        self.link.recv(4096)

    def count(self):
        self.link.sendall(b"show route table flows4 count\n")
        text = b""
        while b"\n0000 " not in text:
            text += self.link.recv(4096)
        return int(text.split(b"-", 1)[1].split()[0])  # "1007-N of N routes for ..."

    def until(self, count, seconds=peers.PATIENCE):
        end = time.monotonic() + seconds
        while self.count() < count:
            assert time.monotonic() < end, f"{count} rules"
            time.sleep(0.001)
        return time.monotonic()


def measure(service, name, table):
    """-> (milliseconds of one, seconds of many)"""
    ones = []
    for number in range(ONES):
        began = time.monotonic()
        answer = service.ask(rule(number).format(name))
        assert answer["outcomes"][0]["passes"], answer
        ones.append((table.until(number + 1) - began) * 1000)
    began = time.monotonic()
    for number in range(ONES, ONES + MANY):
        assert service.ask(rule(number).format(name))["outcomes"][0]["passes"]
    return statistics.median(ones), table.until(ONES + MANY) - began


def main():
    if not peers.have():
        print("exabgp, gobgpd or bird2 is not installed", file=sys.stderr)
        return 3
    peers.alone()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="guia-bench-upstream-"))
    (folder / "gobgp").mkdir()
    (folder / "bird").mkdir()
    gobgp, bird = peers.GoBGP(folder / "gobgp"), peers.Bird(folder / "bird")
    service = peers.Service(BUILD / "guia", folder, [gobgp, bird])
    try:
        gobgp.start()
        bird.start()
        service.start()
        service.hold()
        peers.wait_until(service.up, "both sessions are up")
        for name, table in (("gobgp", Monitor(gobgp)), ("bird", Table(bird))):
            time.sleep(1)
            one_ms, many_s = measure(service, name, table)
            print(json.dumps({"figure": "upstream", "row": f"{name}, 1 rule; {MANY} rules", "one_ms": one_ms, "many_s": many_s}), flush=True)
            if name == "gobgp":
                table.stop()
    finally:
        service.stop()
        gobgp.stop()
        bird.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
