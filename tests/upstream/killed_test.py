"""The keeper killed at each of its writes: its next life and ExaBGP's table agree, and nothing outlives its lease. TAP.

ExaBGP's part is played here: it is the table that its lines lead to, and it answers each. The real one is in upstream_test.py; here there
is no time to lose between some hundred lives.

Usage: killed_test.py GUIA
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

import peers

GUIA = pathlib.Path(sys.argv[1]).resolve()
ROUTE = "flow route { match { destination 192.0.2.%d/32; protocol [ =17 ]; } then { discard; } }"
LIVES_MOST = 60


def live(service):
    """What may be asked of a keeper, which may be killed meanwhile. -> whether it was"""
    for question in ("hold", f"ask one 60 - flood\t{ROUTE % 10}", f"ask one 60 - flood\t{ROUTE % 11}", "end 1", f"ask one 60 - again\t{ROUTE % 10}",
                     "lift 2", "raise 2", f"ask one 1 - short\t{ROUTE % 12}", "hold"):
        service.ask(question, patient=False)
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
    killed = live(service)
    table.stop()
    table.start(service)
    peers.wait_until(lambda: service.ask("hold", patient=False) is not None, "the next life answers")
    try:
        peers.wait_until(lambda: agrees(service, table), f"they agree after write {number}")
    except AssertionError as reason:
        raise AssertionError(f"{reason}: {table.routes}, {service.ask('status')['rules']}, {(service.directory / 'journal').read_text()}") from reason
    service.ask("end all")
    peers.wait_until(lambda: not table.routes and not service.ask("status")["rules"], "all is gone")
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
