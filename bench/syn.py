#!/usr/bin/env python3
"""What a forged SYN costs the gate's processor, with the edge and without: the kernel thread that does all of an interface's receiving
(threaded NAPI) is pinned to one processor and its time taken. SYNs are from addresses that nobody has, to a listener whose queue is full of
them. They reach the gate's end of a veth pair as frames in pages, as a card's driver has them: another pair stands before it whose program
sends them on. A sender's socket buffers a veth would first copy for a program, and give back to the sender's socket at the gate's expense,
and a card does neither: --direct has them so. In namespaces of its own; without root nothing is measured.

Usage: syn.py BUILD [--json] [--quick] [--direct]
"""
import argparse
import json
import pathlib
import socket
import statistics
import subprocess
import sys

FAR = ("ip", "netns", "exec", "far")
WORLD = """
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs /run
mount -t sysfs sysfs /sys
ip link set lo up
ip netns add far
ip link add near type veth peer name away netns far
ip addr add 10.7.0.1/24 dev near
ip link set near up
ip -n far link set lo up
ip -n far link set away up
ip -n far addr add 10.7.0.2/24 dev away
ip route add default via 10.7.0.2
ip -n far link add wire type veth peer name relay
ip -n far link set wire up
ip -n far link set relay up
""".strip().splitlines()


def run(*words):
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit(f"syn: {' '.join(map(str, words))}: {done.stdout}{done.stderr}")
    return done.stdout


# Run where the interface is: INTERFACE COMMAND VALUE, as ethtool would.
ETHTOOL = """
import ctypes, fcntl, socket, struct, sys
value = bytearray(struct.pack("II", int(sys.argv[2], 16), int(sys.argv[3])))
address = ctypes.addressof((ctypes.c_char * len(value)).from_buffer(value))
with socket.socket() as s:
    fcntl.ioctl(s, 0x8946, struct.pack("16sP16x", sys.argv[1].encode(), address))
"""
SET_GRO, SET_TSO = "2c", "1f"


def receiver(interface):
    """The kernel thread that receives for it."""
    for path in pathlib.Path("/proc").glob("[0-9]*/comm"):
        try:
            if path.read_text().startswith(f"napi/{interface}-"):
                return path.parent
        except OSError:
            pass
    sys.exit("syn: this kernel has no threaded NAPI for a veth")


def ns_per_syn(holder, count, processors, direct):
    thread = receiver("near")
    # On the sender's processor, and behind it: so it finds many at once, as in a flood, and is not woken for each from afar.
    run("chrt", "--batch", "-p", "0", thread.name)
    run("taskset", "-pc", processors[0], thread.name)
    run("taskset", "-pc", processors[1], receiver("away").name)
    if not direct:
        run("chrt", "--batch", "-p", "0", receiver("relay").name)
        run("taskset", "-pc", processors[0], receiver("relay").name)
    before = int((thread / "schedstat").read_text().split()[0])
    received = int(pathlib.Path("/sys/class/net/near/statistics/rx_packets").read_text())
    run(*FAR, "taskset", "-c", processors[0], holder, "-", "flood", "10.7.0.1", "8080", count, "198.18.0.0", "100000")
    spent = int((thread / "schedstat").read_text().split()[0]) - before
    received = int(pathlib.Path("/sys/class/net/near/statistics/rx_packets").read_text()) - received
    return spent / max(received, 1)


def measure(build, options):
    guia, holder = build / "guia", build / "tests/edge/edge-holder"
    count, rounds = ("20000", 1) if options.quick else ("400000", 7)
    # As a card has it, a veth has NAPI without a program too, but only for packets of a peer without TSO.
    run(sys.executable, "-c", ETHTOOL, "near", SET_GRO, "1")
    run(*FAR, sys.executable, "-c", ETHTOOL, "away", SET_TSO, "0")
    pathlib.Path("/sys/class/net/near/threaded").write_text("1")
    run(*FAR, holder, "-", "pass", "away")
    if not options.direct:
        card = pathlib.Path("/sys/class/net/near/address").read_text().strip()
        run("ip", "-n", "far", "route", "add", "10.7.0.1/32", "dev", "wire")
        run("ip", "-n", "far", "neigh", "add", "10.7.0.1", "lladdr", card, "dev", "wire")
        run(*FAR, holder, "-", "relay", "relay", "away")
        run(*FAR, "sh", "-c", "echo 1 > /sys/class/net/relay/threaded")
    run(*FAR, "sh", "-c", "echo 1 > /sys/class/net/away/threaded")
    answered, costs = {}, {"kernel, cookies at need": [], "kernel, cookies always": [], "edge": [], "edge, sources banned": []}
    cookies = pathlib.Path("/proc/sys/net/ipv4/tcp_syncookies")
    with socket.create_server(("10.7.0.1", 8080), backlog=128):
        for _ in range(rounds):
            for name, value in (("kernel, cookies at need", "1"), ("kernel, cookies always", "2"), ("edge", "2"),
                                ("edge, sources banned", "2")):
                cookies.write_text(value)
                if name.startswith("edge"):
                    run(guia, "edge", "attach", "near", "--native", "--bans", "10000")
                if name == "edge, sources banned":
                    run(holder, "/run/guia-edge/pins", "ban", "198.18.0.0/15")
                costs[name].append(ns_per_syn(holder, count, options.processors, options.direct))
                if name.startswith("edge"):
                    answered = answered if name != "edge" else json.loads(run(guia, "edge", "show", "--json"))["reasons"]
                    run(guia, "edge", "detach")
    kernel = statistics.median(costs["kernel, cookies at need"])
    for name, values in costs.items():
        value = statistics.median(values)
        if options.json:
            print(json.dumps({"figure": "syn", "row": name, "ns": round(value), "of_kernel": round(value / kernel, 3)}))
        else:
            print(f"{name:28}{value:8.0f} ns a SYN [{min(values):.0f}..{max(values):.0f}]; {value / kernel:.2f} of the kernel")
    if not options.json:
        print({key: value["packets"] for key, value in answered.items() if value["packets"]})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--direct", action="store_true")
    parser.add_argument("--inside", action="store_true")
    options = parser.parse_args()
    options.build = options.build.resolve()
    with open("/proc/self/status", encoding="ascii") as status:
        allowed = next(line.split()[1] for line in status if line.startswith("Cpus_allowed_list"))
    processors = [str(n) for part in allowed.split(",") for n in range(int(part.split("-")[0]), int(part.split("-")[-1]) + 1)]
    options.processors = processors[0], processors[1 % len(processors)]
    if options.inside:
        for line in WORLD:
            run(*line.split())
        measure(options.build, options)
        return
    if subprocess.run(["unshare", "-nm", "true"], capture_output=True, check=False).returncode != 0:
        print("syn: needs root and namespaces: nothing is measured", file=sys.stderr)
        return
    sys.exit(subprocess.run(["unshare", "-nm", sys.executable, *sys.argv, "--inside"], check=False).returncode)


main()
