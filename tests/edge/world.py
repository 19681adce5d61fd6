"""A machine with the edge and a machine beyond it, in namespaces that end with the test, and TAP.

Usage of a test: python3 X_test.py GUIA HOLDER. Without root, namespaces or BPF it prints a plan that skips all.
The edge is to be at `near`; `away` in the namespace `far` is the other end of the cable, with several addresses.
"""
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from waiting import wait_until as wait_for, wait_while_it_lasts  # pylint: disable=wrong-import-position,unused-import

GUIA, HOLDER = (pathlib.Path(name).resolve() for name in sys.argv[1:3])
CASES = []
NOBODY = 65534
FAR = ("ip", "netns", "exec", "far")
WORLD = """
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs /run
ip link set lo up
ip netns add far
ip link add near type veth peer name away netns far
ip addr add 10.7.0.1/16 dev near
ip -6 addr add fd07::1/64 dev near nodad
ip link set near up
ip -n far link set lo up
ip -n far link set away up
ip -n far addr add 10.7.0.2/16 dev away
ip -n far addr add 10.7.0.3/16 dev away
ip -n far addr add 10.7.1.2/16 dev away
ip -n far -6 addr add fd07::2/64 dev away nodad
ip -n far -6 addr add fd07::3/64 dev away nodad
""".strip().splitlines()


class Skip(Exception):
    """A case that cannot be tried here."""


def case(function):
    CASES.append(function)
    return function


def run(*words, code=0, before=()):
    done = subprocess.run([*before, *map(str, words)], capture_output=True, text=True, check=False, timeout=120, stdin=subprocess.DEVNULL)
    assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def edge(*words, code=0, before=()):
    return run(GUIA, "edge", *words, code=code, before=before)


def attach(*words):
    return edge("attach", "near", "--bans", 10000, *words)


def holder(*words, code=0, before=()):
    return run(HOLDER, "/run/guia-edge/pins", *words, code=code, before=before)


def shown():
    return json.loads(edge("show", "--json"))


def packets(reason):
    return shown()["reasons"][reason]["packets"]


SEND = """
import socket, sys
source, to, port, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
with socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.bind((source, 0))
    s.sendto(b"x" * size, (to, port))
"""


def counted():
    """Packets that the edge has seen; None: there is none."""
    done = subprocess.run([GUIA, "edge", "show", "--json"], capture_output=True, check=False, timeout=120)
    return sum(reason["packets"] for reason in json.loads(done.stdout)["reasons"].values()) if done.returncode == 0 else None


def passed(source="10.7.0.2", size=1):
    """Whether a datagram from the other end arrives. That it does not is said once the edge has seen it."""
    v6 = ":" in source
    here = "fd07::1" if v6 else "10.7.0.1"
    before = counted()
    with socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM) as inside:
        inside.bind((here, 0))
        inside.settimeout(0.5)
        run(sys.executable, "-c", SEND, source, here, inside.getsockname()[1], size, before=FAR)
        for last in (False, True):
            try:
                return len(inside.recv(65536)) == size
            except TimeoutError:
                if not last and before is not None:
                    wait_for(lambda: (now := counted()) is None or now > before, "a packet")
                inside.settimeout(0.1)
    return False


def as_user(uid):
    return ("setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all")


def is_carrying(name):
    """Whether an XDP program is attached to the interface."""
    return "xdp" in run("ip", "link", "show", name)


def skip(why):
    print(f"1..0 # SKIP {why}")
    sys.exit(0)


def enter():
    """Into namespaces of our own."""
    if "--inside" not in sys.argv:
        unshare = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        if os.geteuid() != 0 or subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode != 0:
            skip("needs root and namespaces")
        sys.exit(subprocess.run([*unshare, sys.executable, *sys.argv, "--inside"], check=False).returncode)
    for line in WORLD:
        done = subprocess.run(line.split(), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            skip(f"{line}: {done.stderr.strip()}")
    probe = subprocess.run([GUIA, "edge", "attach", "near", "--bans", "1000"], capture_output=True, text=True, check=False)
    if probe.returncode == 3:
        skip(probe.stderr.strip().replace("\n", "; "))
    edge("detach")
    run(HOLDER, "-", "pass", "away", before=FAR)


def main():
    enter()
    failed = 0
    print(f"1..{len(CASES)}")
    with tempfile.TemporaryDirectory(prefix="guia-edge-test-") as folder:
        for number, function in enumerate(CASES, 1):
            name = function.__name__.replace("_", " ")
            try:
                function(*([pathlib.Path(folder)] if function.__code__.co_argcount else []))
                print(f"ok {number} - {name}", flush=True)
            except Skip as why:
                print(f"ok {number} - {name} # SKIP {why}", flush=True)
            except Exception:  # pylint: disable=broad-except
                failed += 1
                print(f"not ok {number} - {name}\n# " + traceback.format_exc().strip().replace("\n", "\n# "), flush=True)
            if pathlib.Path("/run/guia-edge").exists():
                subprocess.run([GUIA, "edge", "detach"], capture_output=True, check=False)
    sys.exit(1 if failed else 0)
