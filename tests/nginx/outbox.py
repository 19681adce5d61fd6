"""Reads the events directory as src/wire/outbox_layout.h says, from the outside: a second opinion for the tests."""
import os
import pathlib
import struct

HEADER, CONTROL_SITES, SITES, NAME, COUNTERS = 4096, 512, 256, 4, 264
HIT_SLOTS, HIT_BYTES, LOAD_ORIGINS = 2048, 16, 64
EVENTS_HEAD, HEADS_HEAD, FINDINGS_HEAD, CONNECTIONS, SITE_COUNT = 64, 128, 192, 256, 448
EVENT_BYTES, HEAD_BYTES, PARCEL_BYTES, PARCEL_PARTS = 128, 2048, 1024, 112
ARRIVAL, END = 1, 2
OTHER_METHOD, GET, HEAD, POST = range(4)
VERDICTS = ["pass", "block", "would-block", "unseen"]
REASONS = ["none", "rule", "failure", "server", "ban", "limit", "crowded-out", "signature", "mode"]
SITE_WORDS = 2 + len(VERDICTS) * len(REASONS) + 6 + 8
SITE_BYTES = COUNTERS + 8 * SITE_WORDS
HITS_AT = (CONTROL_SITES + SITES * SITE_BYTES + 63) // 64 * 64
LOAD_AT = (HITS_AT + 8 + HIT_SLOTS * HIT_BYTES + 63) // 64 * 64
EVENTS_AT = (HEADER + LOAD_AT + (SITES + 3 * LOAD_ORIGINS) * 8 + 4095) // 4096 * 4096
SHED = ["heads", "bodies", "below-rate", "crowded", "refused", "turned-away"]
STATES = ["reading-header", "idle", "reading-body", "waiting", "writing", "working"]
TLS, HTTP2, HTTP10, FROM_HEADER, REPEATED, UNREAD, ORIGIN, COPY, BODY = (1 << i for i in range(9))


class Event:
    def __init__(self, raw):
        (self.number, self.at_ns, self.wall_ms, self.request, self.connection, self.source, self.port, self.site,
         self.kind, self.method, self.flags, self.path, self.agent, self.shape) = struct.unpack("<5Q16sHHBBHQQQ", raw[:88])
        if self.kind == ARRIVAL:
            (self.query, self.accept, self.language, self.length, self.present, self.uri_bytes,
             self.headers) = struct.unpack("<4QIHH", raw[88:])
        else:
            (self.bytes_in, self.bytes_out, self.rule, self.total_us, self.origin_us, self.status, self.verdict,
             self.reason, self.present) = struct.unpack("<3QIIHBBI", raw[88:])

    def __repr__(self):
        return f"<event {vars(self)}>"


class Head:
    def __init__(self, raw):
        (self.number, self.at_ns, self.wall_ms, self.request, self.source, self.port, self.site, self.flags, length,
         self.path, self.agent, self.shape, self.query) = struct.unpack("<4Q16s4H4Q", raw[:88])
        self.text = raw[96:96 + length]


CLASSES = ["sql-injection", "cross-site-scripting", "file-access", "file-inclusion", "command-execution", "php-injection",
           "java-injection", "injection", "session-fixation", "scanner", "protocol", "denial-of-service", "disclosure",
           "upload", "web-shell"]
FOUND = ["response", "disrupted", "would-block", "failed", "body-shed", "body-gone"]
TEXTS = ["id", "method", "target", "protocol", "agent", "head", "head_sent", "body_sent",
         "answer_head", "answer_body"]


def bits(value, names):
    return {name for i, name in enumerate(names) if value >> i & 1}


class Finding:
    """One parcel of src/wire/finding.h."""
    def __init__(self, raw):
        (self.at_ns, self.wall_ms, self.request, self.connection, self.source, self.port, self.site, self.flags, found,
         self.status, self.phase, count, self.matches_all, self.path, self.agent_hash, self.shape, self.query, self.rule,
         self.inbound, self.outbound, self.inbound_threshold, self.outbound_threshold, self.body_bytes,
         self.answer_bytes, classes, *lengths) = struct.unpack("<4Q16s5HBBI4Qq4i2QI10I4x", raw[:184])
        self.found, self.classes, at, matches = bits(found, FOUND), bits(classes, CLASSES), 184, []
        for _ in range(count):
            matches.append(struct.unpack("<qI4B3H2x", raw[at:at + 24]))
            at += 24
        self.matches = []
        for rule, bit, phase, severity, level, disruptive, *sizes in matches:
            parts = []
            for size in sizes:
                parts.append(raw[at:at + size])
                at += size
            self.matches.append({"rule": rule, "classes": bits(bit, CLASSES), "phase": phase, "severity": severity,
                                 "paranoia": level, "disruptive": disruptive, "name": parts[0], "message": parts[1],
                                 "data": parts[2]})
        for name, size in zip(TEXTS, lengths):
            setattr(self, name, raw[at:at + size])
            at += size
        assert at == len(raw), (at, len(raw))


class Outbox:
    """What a file holds at a time; without its rings it is a hundredth of it, for who asks again and again."""

    def __init__(self, path, rings=True):
        with open(path, "rb") as file:
            self.raw, bytes_all = file.read() if rings else file.read(EVENTS_AT), os.fstat(file.fileno()).st_size
        (magic, version, _, size, self.slots, event_bytes, self.head_slots, head_bytes, self.finding_slots, finding_bytes,
         sites) = struct.unpack("<8sIIQ7I", self.raw[:52])
        assert (magic, version, event_bytes, head_bytes, finding_bytes, sites) == (
            b"guiaOUT\0", 8, EVENT_BYTES, HEAD_BYTES, PARCEL_BYTES, SITES)
        assert size == bytes_all, (size, bytes_all)
        self.control = self.raw[HEADER:]
        self.event_head = self.word(EVENTS_HEAD)
        self.head_head = self.word(HEADS_HEAD)
        self.findings_head = self.word(FINDINGS_HEAD)

    def word(self, at):
        return struct.unpack_from("<Q", self.control, at)[0]

    def ring(self, head, slots, at, size):
        for number in range(max(0, head - slots + 1), head):
            start = at + number % slots * size
            yield self.raw[start:start + size]

    def events(self):
        return [Event(raw) for raw in self.ring(self.event_head, self.slots, EVENTS_AT, EVENT_BYTES)]

    def heads(self):
        at = EVENTS_AT + self.slots * EVENT_BYTES
        return [Head(raw) for raw in self.ring(self.head_head, self.head_slots, at, HEAD_BYTES)]

    def findings(self):
        """parcel's number -> what it holds, of those that are whole."""
        at = EVENTS_AT + self.slots * EVENT_BYTES + self.head_slots * HEAD_BYTES
        found, text = {}, None
        for number in range(max(0, self.findings_head - self.finding_slots + PARCEL_PARTS), self.findings_head):
            start = at + number % self.finding_slots * PARCEL_BYTES
            own, parcel, size, part = struct.unpack("<QQII", self.raw[start:start + 24])
            assert own == number, (own, number)
            text = b"" if part == 0 else text
            if text is None:
                continue  # its beginning was overwritten
            text += self.raw[start + 24:start + PARCEL_BYTES][:size - len(text)]
            if len(text) == size:
                found[parcel], text = Finding(text), None
        return found

    def name(self, site):
        at = CONTROL_SITES + site * SITE_BYTES
        length, = struct.unpack_from("<I", self.control, at)
        return self.control[at + NAME:at + NAME + length].decode()

    def sites(self):
        """name -> (arrived, abandoned, ended by [verdict, reason], status, the rest)."""
        count, = struct.unpack_from("<I", self.control, SITE_COUNT)
        return {self.name(i): struct.unpack_from(f"<{SITE_WORDS}Q", self.control, CONTROL_SITES + i * SITE_BYTES + COUNTERS)
                for i in range(count)}

    def hits(self):
        """mitigation -> how often it was carried out."""
        slots = struct.iter_unpack("<IIQ", self.control[HITS_AT + 8:HITS_AT + 8 + HIT_SLOTS * HIT_BYTES])
        return {mitigation: count for mitigation, _, count in slots if mitigation != 0}

    def waiting(self):
        """How many of its requests wait for a slot of an origin."""
        return sum(self.word(LOAD_AT + (SITES + 3 * origin + 2) * 8) for origin in range(LOAD_ORIGINS))

    def connections(self):
        return struct.unpack_from("<20Q", self.control, CONNECTIONS)

    def looked_ns(self):
        """When its worker last looked at its connections."""
        return self.connections()[11]


def read_all(folder, rings=True):
    paths = sorted(pathlib.Path(folder).glob("worker-*"), key=lambda p: int(p.name[7:]) if p.name[7:].isdigit() else -1)
    return [Outbox(path, rings) for path in paths if path.name[7:].isdigit()]


def site_sum(boxes, name):
    words = [0] * SITE_WORDS
    for box in boxes:
        words = [a + b for a, b in zip(words, box.sites().get(name, [0] * SITE_WORDS))]
    reasons, rest = len(REASONS), 2 + len(VERDICTS) * len(REASONS)
    ended = {(VERDICTS[i // reasons], REASONS[i % reasons]): n for i, n in enumerate(words[2:rest]) if n}
    status, rest = list(words[rest:rest + 6]), words[rest + 6:]
    return {"arrived": words[0], "abandoned": words[1], "ended": ended, "status": status,
            **dict(zip(["bytes_in", "bytes_out", "origin_requests", "origin_us", "copies", "findings", "findings_shed",
                        "bodies_shed"], rest)),
            "settled": words[0] > 0 and words[0] == words[1] + sum(ended.values())}


def connections_sum(boxes):
    words = [sum(w) for w in zip(*(box.connections() for box in boxes))]
    return dict(zip(["accepted", "closed", "abandoned", "silent", "banned"], words[:5]))


def shed_sum(boxes):
    words = [sum(w) for w in zip(*(box.connections() for box in boxes))] or [0] * 20
    return dict(zip(SHED, words[13:]))


def states_sum(boxes):
    words = [sum(w) for w in zip(*(box.connections() for box in boxes))] or [0] * 20
    return dict(zip(STATES, words[5:11]))
