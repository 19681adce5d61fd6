"""Whoever is on duty, before the screen that guia serve printed the address of: reads pages, presses buttons, looks on as they change."""
import http.client
import re
import threading
import time
from urllib.parse import urlencode

from harness import wait_for


class Officer:
    def __init__(self, gate):
        self.gate, self.port, self.cookie = gate, 0, ""
        wait_for(self.printed, "an address")
        self.enter(self.printed()[-1])

    def printed(self):
        return re.findall(r"http://\S+/enter/\w+", self.gate.said())

    def enter(self, address):
        self.port = int(address.split(":")[2].split("/")[0])
        code, headers, _ = self.ask("/" + address.split("/", 3)[3])
        assert code == 200, code
        self.cookie = headers["Set-Cookie"].split(";")[0]

    def ask(self, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        try:
            connection.request("GET" if body is None else "POST", path, body=body,
                               headers={"Cookie": self.cookie, "Content-Type": "application/x-www-form-urlencoded"})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def page(self, path):
        return self.ask(path)[2]

    def press(self, path, value, why):
        csrf = self.page(path).split('name="csrf" value="')[1].split('"')[0]
        code, _, _ = self.ask("/orders", urlencode({"csrf": csrf, "order": value, "why": why, "back": path}))
        assert code == 303, code
        return self.page(path)


class Look:
    """A page left open: `parts` is what each part was sent as, and when (time.monotonic())."""

    def __init__(self, officer, live):
        self.parts, self.connection = [], http.client.HTTPConnection("127.0.0.1", officer.port, timeout=300)
        self.connection.request("GET", live, headers={"Cookie": officer.cookie})
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, self.answer.status
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        name, lines = "", []
        while line := self.answer.readline().decode():
            line = line[:-1]
            if line == "":
                self.parts += [(time.monotonic(), name, "\n".join(lines))] if name else []
                name, lines = "", []
            elif line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                lines.append(line[6:])

    def first(self, part, pattern):
        """-> (when, match) of the first sending of a part that the pattern is found in; None: there was none yet."""
        for when, name, text in list(self.parts):
            if name == part and (found := re.search(pattern, text)):
                return when, found
        return None
