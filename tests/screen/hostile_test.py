"""Whatever traffic and people brought in stays text on every page: in HTML, in SVG, in events. TAP."""
import html.parser
import http.client
import time

from harness import LANGUAGES, ONSET, PATIENCE, Screen, case, incident_write, main, measure, site, status, top, wait_for

HOSTILE = [
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onmouseover='alert(1)", "</title><svg onload=alert(1)>", "</section><script>",
    "javascript:alert(1)", "a\ndata: <script>\n\nevent: tiles\ndata: x", "a\r\ndata: y\r\n\r\n", "\u202eevil\u2066", "\x1b]0;x\x07\x1b[2J", "&lt;script&gt;&#x3c;",
    "]]><script>", "{{7*7}}", "%s%n%lu", "<!--", "--><script>", "\u2028\u2029", "\\u003cscript\\u003e", "a\x00b", "\x7f\x9b1m", "\ud800" "x", "<" * 150, "\U0001f512", "`${1}`",
]
TAGS = set("code html head meta title link noscript script body a header strong nav main section p h1 h2 h3 ul ol li span svg circle path div table thead tr th tbody td figure "
           "figcaption defs pattern rect text dl dt dd form input label button br style".split())


class Reader(html.parser.HTMLParser):
    """Collects what a browser would act upon."""

    def __init__(self):
        super().__init__()
        self.scripts, self.faults, self.open, self.text = [], [], [], []

    def handle_starttag(self, tag, attributes):
        if tag not in TAGS:
            self.faults.append(f"<{tag}>")
        for name, value in attributes:
            if name.startswith("on") or name == "style" or (name in ("href", "src", "action") and not (value or "").startswith(("/", "#"))):
                self.faults.append(f"{tag} {name}={value}")
        if tag == "script":
            self.scripts.append(dict(attributes).get("src"))
        if tag not in ("meta", "link", "input", "br", "circle", "path", "rect"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in ("circle", "path", "rect"):
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")

    def handle_data(self, data):
        self.text.append(data)


# Of a page that does not live, of one that does, and of one that does where uPlot is built in.
SCRIPTS = ([], ["/screen.js"], ["/uPlot.iife.min.js", "/plot.js", "/screen.js"])


def read(page, whole=True):
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.faults == [] and reader.open == [], (reader.faults, reader.open, page[:2000])
    assert reader.scripts in SCRIPTS if whole else reader.scripts == [], reader.scripts
    for character in "\x00\x07\x1b\x7f\x9b\u202e\u2066\u2028\u2029":
        assert character not in page, repr(character)
    assert "\r" not in page
    return " ".join(reader.text)


def hostile_screen():
    """All that can come from elsewhere, hostile in all places."""
    screen = Screen()
    texts = [text.replace("\ud800", "") for text in HOSTILE]
    sites = [site(text[:200], "open" if i % 2 else "mitigated", fault=text, mode={"mode": text, "site": text, "by": 0, "why": text}) for i, text in enumerate(texts)]
    for number, (told, text) in enumerate(zip(sites, texts)):
        told["episode"]["mitigations"] = [measure(number + 1, text)]
        told["episode"]["onset"] = told["episode"]["onset"] if number % 3 else text
    screen.watch.answers["status"] = status(*sites)
    screen.watch.answers["status"]["watch"]["fault"] = texts[0]
    keys = [(text, 10.0 + i) for i, text in enumerate(texts)]
    screen.watch.answers["top"] = top(source=keys, network=keys, operator=keys, country=keys, path=keys, agent=keys, rule=keys)
    screen.watch.answers["top"]["places"]["vendor"] = texts[1]
    for item in screen.watch.answers["top"]["path"]:
        item["site"] = item["key"]
    screen.watch.answers["bans"]["orders"] = [{"id": i, "kind": "ban", "prefix": text, "by": 4294967295, "why": text, "until": text, "until_ms": 1}
                                              for i, text in enumerate(texts)]
    screen.watch.answers["modes"]["modes"] = [{"id": i, "mode": text, "site": text, "by": 0, "why": text, "until_ms": 1 << 62} for i, text in enumerate(texts)]
    stored = [text for text in texts if "\x00" not in text]
    for number, text in enumerate(stored, 1):
        incident_write(screen.history, number, [text, text + "2"], onset=ONSET + number * 10000000, what=text, seconds=5, phase="rising" if number == len(stored) else "over",
                       entries=[(kind, text) for kind in range(3)], tallies=[(d, text, 5.0) for d in ("network", "operator", "country", "path", "agent", "rule")],
                       kind="flood" if number % 2 else "shell")
    return screen, len(stored)


@case
def pages_stay_what_they_are():
    screen, count = hostile_screen()
    with screen.ready(len(HOSTILE)):
        for language in LANGUAGES:
            for path in ("/", "/incidents", *(f"/incidents/{n}" for n in range(1, count + 1))):
                code, _, page = screen.ask(f"{path}?lang={language}")
                assert code == 200, path
                text = read(page)
                if path == "/":
                    assert "<script>alert(1)</script>" in text


@case
def reports_stay_what_they_are():
    screen, count = hostile_screen()
    with screen.ready(len(HOSTILE)):
        for number in range(1, count + 1):
            code, headers, page = screen.ask(f"/incidents/{number}/report?lang=pt")
            assert code == 200 and "script-src" not in headers["Content-Security-Policy"] and "default-src 'none'" in headers["Content-Security-Policy"]
            read(page)


@case
def events_stay_what_they_are():
    screen, count = hostile_screen()
    with screen.ready(len(HOSTILE)):
        for path, ids in (("/live/?lang=en", {"sentence", "now", "incident", "tiles", "course", "attacks"}),
                          (f"/live/incidents/{count}?lang=zh-Hant", {"facts", "affected", "if-nothing", "in-force", "course", "measures", "packets", "sites", "timeline"})):
            connection = http.client.HTTPConnection("127.0.0.1", screen.port, timeout=PATIENCE)
            connection.request("GET", path, headers={"Cookie": screen.cookie})
            answer = connection.getresponse()
            assert answer.status == 200 and answer.headers["Content-Type"] == "text/event-stream"
            seen, name, lines, end = {}, "", [], time.monotonic() + PATIENCE
            while seen.keys() != ids and time.monotonic() < end:
                line = answer.readline().decode()
                assert line.endswith("\n") and "\r" not in line, line
                line = line[:-1]
                if line == "":
                    if name:
                        seen[name] = "\n".join(lines)
                    name, lines = "", []
                elif line.startswith("event: "):
                    name = line[7:]
                else:
                    assert line.startswith(("data: ", ":")), line
                    lines.append(line[6:])
            assert seen.keys() == ids, (seen.keys(), ids)
            for part in seen.values():
                read(part, whole=False)
            connection.close()


@case
def hostile_requests_are_not_echoed():
    with Screen().ready(0) as screen:
        for path in ("/%3Cscript%3Ealert(1)%3C/script%3E", "/?lang=%22%3E%3Cscript%3E", "/incidents/%3Cscript%3E", "/incidents/1%00", "/incidents/before/%3Cscript%3E",
                     "/live/%3Cscript%3E", "/enter/%3Cscript%3E", "/incidents/before/9999999?lang=%0d%0aX:y"):
            _, headers, page = screen.ask(path)
            assert headers["X"] is None
            assert "alert" not in read(page)


@case
def answers_that_make_no_sense_do_no_harm():
    screen = Screen()
    with screen.ready(0):
        for answer in ([], 5, "x", None, {"sites": 5}, {"sites": [5, None, [], {"site": 5, "probe": 3, "incident": "x", "ended": [1], "mode": 7, "visitors": 0}]},
                       {"sites": [{"site": "a", "probe": {"up": "yes", "ms": -1e308, "asked": -5}, "requests_per_s": 1e308,
                                   "incident": {"state": 3, "onset": 5, "mitigations": [{"id": -1, "seconds": 1e300, "stage": "in force", "what": 3}]}}]},
                       {"sites": [{}] * 3000}, {"watch": []}):
            for question in ("status", "top", "bans", "modes"):
                screen.watch.answers[question] = answer
            screen.heard(3)
            code, _, page = screen.ask("/")
            assert code == 200
            read(page)
        screen.watch.answers["status"] = status(site("a.test"))
        wait_for(lambda: "a.test" in screen.ask("/")[2], "sense")


main()
