"""As much of HTTP/2 (RFC 9113) and HPACK (RFC 7541) as a test needs to send frames as it likes. No compression of its own."""
import socket
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
STATUS = {8: 200, 9: 204, 10: 206, 11: 304, 12: 400, 13: 404, 14: 500}  # of HPACK's static table


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def number(value):
    """An HPACK integer behind seven bits of prefix."""
    if value < 127:
        return bytes([value])
    out, value = [127], value - 127
    while value > 127:
        out.append(value % 128 + 128)
        value //= 128
    return bytes(out + [value])


def headers_block(pairs):
    out = b""
    for name, value in pairs:
        name, value = name.encode(), value if isinstance(value, bytes) else value.encode("latin-1")
        out += b"\0" + number(len(name)) + name + number(len(value)) + value
    return out


HUFFMAN_DIGITS = {0b00000: "0", 0b00001: "1", 0b00010: "2"}
HUFFMAN_DIGITS_6 = {0b011001: "3", 0b011010: "4", 0b011011: "5", 0b011100: "6", 0b011101: "7", 0b011110: "8", 0b011111: "9"}


def huffman_digits(data):
    bits, out, at = "".join(f"{b:08b}" for b in data), "", 0
    while at + 5 <= len(bits):
        if int(bits[at:at + 5], 2) in HUFFMAN_DIGITS:
            out, at = out + HUFFMAN_DIGITS[int(bits[at:at + 5], 2)], at + 5
        elif bits[at:at + 6] and int(bits[at:at + 6], 2) in HUFFMAN_DIGITS_6:
            out, at = out + HUFFMAN_DIGITS_6[int(bits[at:at + 6], 2)], at + 6
        else:
            break
    return out


def status_of(block):
    """The status, which nginx sends first: indexed, or a literal with an indexed name."""
    while block and block[0] & 0xe0 == 0x20:
        block = block[1:]  # a change of the table's size
    if block[0] & 0x80:
        return STATUS[block[0] & 0x7f]
    size = block[1] & 0x7f
    text = block[2:2 + size]
    return int(huffman_digits(text) if block[1] & 0x80 else text)


class Stream:
    def __init__(self):
        self.status, self.body, self.ended, self.reset = 0, b"", False, None


class Connection:
    def __init__(self, port, patience=60):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=patience)
        self.buffer, self.streams, self.next, self.goaway, self.closed = b"", {}, 1, None, False
        self.send(PREFACE + frame(SETTINGS, 0, 0) + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 30)))

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            self.closed = True

    def expect(self):
        """The number of the next stream, whose frames the caller sends."""
        stream, self.next = self.next, self.next + 2
        self.streams[stream] = Stream()
        return stream

    def open(self, path, method="GET", headers=(), end=True):
        """Sends a request's headers. Returns the stream's number."""
        stream = self.expect()
        block = headers_block([(":method", method), (":scheme", "http"), (":path", path), (":authority", "a"), *headers])
        self.send(frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, block))
        return stream

    def data(self, stream, data, end=True):
        for at in range(0, max(len(data), 1), 16384):
            piece = data[at:at + 16384]
            self.send(frame(DATA, END_STREAM if end and at + 16384 >= len(data) else 0, stream, piece))

    def read(self):
        """Takes what comes. False at the connection's end."""
        try:
            piece = self.socket.recv(65536)
        except OSError:
            piece = b""
        self.closed = self.closed or not piece
        self.buffer += piece
        while len(self.buffer) >= 9:
            size = int.from_bytes(self.buffer[:3], "big")
            if len(self.buffer) < 9 + size:
                break
            kind, flags = self.buffer[3], self.buffer[4]
            stream = int.from_bytes(self.buffer[5:9], "big") & 0x7fffffff
            payload, self.buffer = self.buffer[9:9 + size], self.buffer[9 + size:]
            self.take(kind, flags, self.streams.get(stream, Stream()), payload)
        return not self.closed

    def take(self, kind, flags, stream, payload):
        if kind == HEADERS and not stream.status:
            stream.status = status_of(payload)
        elif kind == DATA:
            stream.body += payload
            if payload:
                self.send(frame(WINDOW_UPDATE, 0, [n for n, s in self.streams.items() if s is stream][0],
                                struct.pack(">I", len(payload))))
        elif kind == RST_STREAM:
            stream.reset, stream.ended = int.from_bytes(payload, "big"), True
        elif kind == GOAWAY:
            self.goaway = int.from_bytes(payload[:4], "big") & 0x7fffffff
        elif kind == SETTINGS and not flags & ACK:
            self.send(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self.send(frame(PING, ACK, 0, payload))
        if kind in (HEADERS, DATA) and flags & END_STREAM:
            stream.ended = True

    def finish(self, stream):
        """Reads until a stream has ended, and returns it."""
        while not self.streams[stream].ended and self.read():
            pass
        return self.streams[stream]

    def close(self):
        self.socket.close()
