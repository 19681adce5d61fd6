"""The keeper killed at each of its writes: its next life and ExaBGP's table agree, nothing outlives its lease, and all that became of
rules is told, each once. TAP.

ExaBGP's part is played here: it is the table that its lines lead to, and it answers each. The real one is in upstream_test.py; here there
is no time to lose between some hundred lives.

Usage: killed_test.py GUIA
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import peers

GUIA = pathlib.Path(sys.argv[1]).resolve()
ROUTE = "flow route { match { destination 192.0.2.%d/32; protocol [ =17 ]; } then { discard; } }"
LIVES_MOST = 60


class Reader:
    """What a watch has of the keeper's news, over its lives."""

    def __init__(self, service):
        self.service, self.life, self.known, self.changes = service, 0, 0, []

    def fetch(self, patient=True):
        answer = self.service.ask(f"news {self.life} {self.known}", patient)
        if answer is None:
            return
        assert self.life in (0, answer["life"]) and answer["lost"] == 0, (self.life, answer)
        self.life = answer["life"]
        for item in answer["news"]:
            if item["number"] > self.known:
                assert item["number"] == self.known + 1, (self.known, answer)
                self.known = item["number"]
                self.changes.append((item["change"], item.get("rule", 0), item.get("told")))

    def check(self, announced):
        """All that was announced was told of; each rule that was asked for ended once, and nothing but that it is gone came after."""
        asked = [rule for change, rule, _ in self.changes if change == "asked"]
        assert len(set(asked)) == len(asked), self.changes
        assert destinations(announced) <= destinations(told for change, _, told in self.changes if change == "asked"), (announced, self.changes)
        for rule in asked:
            told = [change for change, of, _ in self.changes if of == rule]
            ends = [at for at, change in enumerate(told) if change in ("withdrawn", "lapsed", "let go")]
            assert len(ends) == 1 and told[ends[0] + 1:] in ([], ["gone"]), (rule, told)


def destinations(texts):
    return {re.search(r"192\.0\.2\.[0-9]+", text).group() for text in texts}


def live(service, reader):
    """What may be asked of a keeper, which may be killed meanwhile. -> whether it was"""
    for question in ("hold", f"ask one 60 - flood\t{ROUTE % 10}", f"ask one 60 - flood\t{ROUTE % 11}", "end 1", f"ask one 60 - again\t{ROUTE % 10}",
                     "lift 2", "raise 2", f"ask one 1 - short\t{ROUTE % 12}", "hold"):
        service.ask(question, patient=False)
        reader.fetch(patient=False)
    return service.ask("status", patient=False) is None


def agrees(service, table):
    rules = service.ask("status")["rules"]
    wanted = {rule["route"] for rule in rules if rule["state"] == "announced"}
    return wanted == table.routes and all(rule["state"] != "ending" for rule in rules)


def killed_at(number, folder):
    """-> whether it was killed: there are so many writes."""
    table, one = peers.Table(), type("One", (), {"name": "one", "address": "127.1.0.2", "port": 1790, "peer_as": 65010})
    service = peers.Service(GUIA, folder, [one])
    (folder / "keeper").mkdir(mode=0o750)
    table.start(service, "strace", "-qq", "-o", "/dev/null", "-e", "trace=write,sendto,rename,fsync", "-e",
                f"inject=write,sendto,rename,fsync:signal=KILL:when={number}")
    peers.wait_until(lambda: table.child.poll() is not None or service.ask("status", patient=False) is not None, "it answers or is killed")
    reader = Reader(service)
    killed = live(service, reader)
    table.stop()
    table.start(service)
    peers.wait_until(lambda: service.ask("hold", patient=False) is not None, "the next life answers")
    try:
        peers.wait_until(lambda: agrees(service, table), f"they agree after write {number}")
    except AssertionError as reason:
        raise AssertionError(f"{reason}: {table.routes}, {service.ask('status')['rules']}, {(service.directory / 'journal').read_text()}") from reason
    service.ask("end all")
    peers.wait_until(lambda: not table.routes and not service.ask("status")["rules"], "all is gone")
    reader.fetch()
    reader.check(table.announced)
    table.stop()
    return killed


def main():
    if shutil.which("strace") is None:
        print("1..0 # SKIP there is no strace")
        return 0
    number, failed = 0, None
    for number in range(1, LIVES_MOST):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="guia-killed-"))
        try:
            if not killed_at(number, folder):
                break
        except AssertionError as reason:
            failed = f"{number}: {reason}"
            break
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    print("1..2")
    print(f"{'not ' if failed else ''}ok 1 - killed at each write, the next life and the table agree")
    print(f"{'' if failed or number > 15 else 'not '}ok 2 - there were many writes\n# {failed or number}")
    return 1 if failed or number <= 15 else 0


if __name__ == "__main__":
    sys.exit(main())
