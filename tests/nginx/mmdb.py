"""Writes a MaxMind DB (format 2.0): a binary tree over address bits, a data section, and metadata. As much as tests need."""
import ipaddress
import struct

MARKER = b"\xab\xcd\xefMaxMind.com"


def head(kind, size):
    """A control byte, and what it needs beside it. Kinds above 7 are extended."""
    first = (kind if kind <= 7 else 0) << 5
    extended = b"" if kind <= 7 else bytes([kind - 7])
    if size < 29:
        return bytes([first | size]) + extended
    if size < 29 + 256:
        return bytes([first | 29]) + extended + bytes([size - 29])
    return bytes([first | 30]) + extended + struct.pack(">H", size - 285)


def value(v):
    if isinstance(v, str):
        return head(2, len(v.encode())) + v.encode()
    if isinstance(v, float):
        return head(3, 8) + struct.pack(">d", v)
    if isinstance(v, dict):
        return head(7, len(v)) + b"".join(value(k) + value(x) for k, x in v.items())
    if isinstance(v, list):
        return head(11, len(v)) + b"".join(value(x) for x in v)
    if isinstance(v, tuple):  # (kind, number): 5 uint16, 6 uint32, 9 uint64
        kind, n = v
        data = n.to_bytes((n.bit_length() + 7) // 8, "big")
        return head(kind, len(data)) + data
    raise TypeError(v)


def database(networks):
    """networks: {"198.51.100.0/24": {...}}. An IPv6 tree, with IPv4 under ::/96."""
    nodes, data, places = [[None, None]], b"", {}
    for text, record in networks.items():
        network = ipaddress.ip_network(text)
        length = network.prefixlen + (96 if network.version == 4 else 0)
        bits = f"{int(network.network_address):0128b}"[:length]
        if text not in places:
            places[text] = len(data)
            data += value(record)
        node = 0
        for bit in map(int, bits[:-1]):
            if not isinstance(nodes[node][bit], int):
                nodes.append([None, None])
                nodes[node][bit] = len(nodes) - 1
            node = nodes[node][bit]
        nodes[node][int(bits[-1])] = ("data", places[text])
    count = len(nodes)

    def record(child):
        number = count if child is None else child if isinstance(child, int) else count + 16 + child[1]
        return struct.pack(">I", number)
    tree = b"".join(record(left) + record(right) for left, right in nodes)
    metadata = {"node_count": (6, count), "record_size": (5, 32), "ip_version": (5, 6), "database_type": "Test-City",
                "languages": ["en"], "binary_format_major_version": (5, 2), "binary_format_minor_version": (5, 0),
                "build_epoch": (9, 1700000000), "description": {"en": "a test's"}}
    return tree + bytes(16) + data + MARKER + value(metadata)
