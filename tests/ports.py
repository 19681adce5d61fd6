"""Ports for servers of tests that run side by side. The kernel gives ports of its ephemeral range to any connection that
goes out meanwhile, and the same one to two tests that ask one after another; these are out of that range, and each is
kept by a socket of a name of its own until the test ends."""
import random
import socket

FIRST, LAST = 12000, 32000
_kept = {}


def _keep(port):
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0guia-test-port-{port}")
    except OSError:
        name.close()
        return False
    _kept[port] = name
    return True


def _is_free(port, address):
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def free_port(address="127.0.0.1"):
    chance = random.SystemRandom()
    for _ in range(10000):
        port = chance.randrange(FIRST, LAST)
        if port not in _kept and _keep(port) and _is_free(port, address):
            return port
    raise AssertionError("no port is free")
