"""What the screen shows: in three languages, live, small, and undone by a button. TAP."""
import contextlib
import gzip
import http.client
import os
import pathlib
import re
import sqlite3
import sys
import time

PLAIN = pathlib.Path(sys.argv.pop(2)).resolve()  # the same program without uPlot

from harness import LANGUAGES, ONSET, Screen, case, incident_write, main, measure, site, status, top, wait_for  # pylint: disable=wrong-import-position

WORDS = {"en": ("under attack", "Who is affected", "If nothing is done"), "pt": ("sob ataque", "Quem é afetado", "Se nada se fizer"),
         "zh-Hant": ("受攻擊", "受影響者", "若不採取行動")}


def attacked():
    screen = Screen()
    told = site("a.test", "mitigated")
    told["episode"]["mitigations"] = [measure(7, "no accept-language"), measure(8, "not yet", stage="trial")]
    screen.watch.answers["status"] = status(told, site("b.test"), site("c.test", up=False), site("d.test", mode={"mode": "local", "by": 0, "why": "", "until_ms": 1}))
    screen.watch.answers["top"] = top(network=[("192.0.2.0/24", 340.0)], rule=[("942100", 12.0)])
    screen.watch.answers["bans"]["orders"] = [{"id": 3, "kind": "ban", "prefix": "192.0.2.7/32", "by": 0, "why": "floods", "until_ms": ONSET},
                                              {"id": 4, "kind": "allow", "prefix": "192.0.2.8/32", "by": 4000000, "why": ""}]
    screen.watch.answers["modes"]["modes"] = [{"id": 5, "site": "d.test", "mode": "local", "by": 0, "why": "quiet please", "until_ms": ONSET}]
    incident_write(screen.history, 1, ["a.test"], phase="over")
    incident_write(screen.history, 2, ["a.test", "b.test"], phase="held", onset=int(time.time() * 1000) - 65000)
    return screen


@case
def every_language_is_spoken_throughout():
    screen = attacked()
    with screen.ready(4):
        seen = {}
        for language in LANGUAGES:
            overview = screen.ask(f"/?lang={language}")[2]
            page = screen.ask(f"/incidents/2?lang={language}")[2]
            report = screen.ask(f"/incidents/2/report?lang={language}")[2]
            assert f'<html lang="{language}">' in overview and f'<html lang="{language}">' in page and f'<html lang="{language}">' in report
            state, affected, nothing = WORDS[language]
            assert state in overview and affected in page and nothing in page, language
            assert f'href="/incidents?lang={language}"' in overview and f'href="/incidents/2/report?lang={language}"' in page
            seen[language] = overview
        assert screen.ask("/", Accept_Language="pt-BR,pt;q=0.9")[2].count("sob ataque") > 0
        assert screen.ask("/", Accept_Language="zh-HK")[2].count("受攻擊") > 0
        assert 'href="/incidents"' in screen.ask("/")[2]
        # Nothing is left in English but what is said to be.
        for language in ("pt", "zh-Hant"):
            for part in ("requests a second", "answers in", "What comes most", "not yet known", "Overview<"):
                assert part not in seen[language], (language, part)


@case
def tiles_say_how_sites_are():
    began, screen = time.time(), attacked()
    with screen.ready(4):
        page = screen.ask("/")[2]
        tiles = dict(re.findall(r'<li class="tile (\w+)"><h3>([^<]*)</h3>', page))
        assert tiles == {"attacked": "a.test", "up": "b.test", "down": "c.test", "degraded": "d.test"}, tiles
        order = re.findall(r'<li class="tile (\w+)">', page)
        assert order == ["attacked", "down", "degraded", "up"], order
        words = re.search(r'<h3>a.test</h3>.*?<span class="clock">([^<]*)</span>', page, re.S).group(1)
        minutes, seconds = re.search(r"(\d+) min (\d+) s", words).groups()
        assert 65 <= int(minutes) * 60 + int(seconds) <= 65 + time.time() - began, words
        assert "Sites under attack: 1." in page and "Sites that do not answer: 1." in page
        assert "192.0.2.0/24" in page and "340" in page and "not yet known" in page and "942100" in page
        assert 'href="/incidents/2"' in page
        assert "12 ms" in page  # of 12.3


@case
def what_is_usual_stands_beside():
    screen = Screen()
    screen.watch.answers["status"] = status(site("a.test"))
    screen.watch.answers["top"] = top(network=[("192.0.2.0/24", 40.0)])
    with screen.ready(1):
        wait_for(lambda: "not yet known" not in screen.ask("/")[2].split('id="attacks"')[1], "ten quiet seconds")
        screen.watch.answers["status"] = status(site("a.test", "open"))
        screen.heard(3)
        screen.watch.answers["top"] = top(network=[("192.0.2.0/24", 900.0), ("198.51.100.0/24", 50.0)])
        wait_for(lambda: ">900<" in screen.ask("/")[2], "the attack")
        part = screen.ask("/")[2].split('id="attacks"')[1]
        row = re.search(r"<tr><td>192.0.2.0/24</td><td class=\"n\">900</td><td class=\"n\">([^<]*)</td>", part)
        assert row and 35 <= float(row.group(1)) <= 41, part
        assert re.search(r"<tr><td>198.51.100.0/24</td><td class=\"n\">50</td><td class=\"n\">not seen</td>", part), part


INTRUSIONS = {  # kind: what is said of a site, and if nothing is done: where all was refused, and where it was not
    "scan": ("was searched for weak spots", "Nothing needs to be done now", "in the course of the day"),
    "injection": ("held commands meant for what is behind it", "Nothing needs to be done now", "may already have worked"),
    "leak": ("held what nobody outside should see", "show an error until it is mended", "goes on giving this to whoever asks"),
    "shell": ("looks like a program", "make sure that no such file is there", "Call whoever looks after the site now"),
}


@case
def an_intrusion_is_told_as_one():
    screen = attacked()
    incident_write(screen.history, 3, ["b.test"], phase="rising", kind="injection", points=False,
                   tallies=(("rule", "942100", 40.0), ("path", "/search", 40.0), ("source", "192.0.2.7", 40.0), ("source", "2001:db8::7", 3.0), ("source", "$(id)", 1.0)))
    with screen.ready(4):
        overview, page, listed = screen.ask("/")[2], screen.ask("/incidents/3")[2], screen.ask("/incidents")[2]
        assert "Intrusions under way" in overview and 'href="/incidents/3"' in overview and "Incident 2" in overview, "the flood stays beside it"
        for part in ("injection: commands", "goes on, not all of it refused", "Let through: 5\u202f000.", "942100", "/search", "230", "Guia puts nothing in force by itself",
                     "<code>guia ban 192.0.2.7 --why &#39;incident 3&#39;</code>", "guia ban 2001:db8::7 ", "guia evidence hold 3 "):
            assert part in page, (part, page)
        for part in ("Visitors served again", "Visitors answered", "<figure", "Worst second", "last good copies", "guia ban $", "guia mode"):
            assert part not in page, part
        assert "injection: commands" in listed and "flood of requests" in listed and "goes on, not all of it refused" in listed
        assert screen.ask("/incidents/3/report?lang=zh-Hant")[0] == 200


PACKETS = {"en": "become no connection", "pt": "não se tornam ligações", "zh-Hant": "未成為連線的 SYN"}


@case
def packets_are_shown_in_every_language():
    screen = attacked()
    screen.watch.answers["status"]["packets"] = [
        {"kind": "syn", "on": True, "held": True, "per_s": 123456.0, "destinations": "192.0.2.10 100 %", "ports": "tcp/443 99 %"},
        {"kind": "udp", "on": False, "held": False, "per_s": 0.0, "destinations": "", "ports": ""},
        {"kind": "of a later watch", "on": True}]
    with contextlib.closing(sqlite3.connect(screen.history)) as db:
        db.execute("INSERT INTO packets (incident, kind, onset_ms, until_ms, packets, peak, sampled, ports, networks)"
                   " VALUES (2, 'syn', ?, ?, 987654, 123456.0, 9, 'tcp/443 99 %', '198.18.0.0/16 12 %')", (ONSET, ONSET + 9000))
        db.commit()
    with screen.ready(4):
        screen.heard()
        for language, words in PACKETS.items():
            overview, page = screen.ask(f"/?lang={language}")[2], screen.ask(f"/incidents/2?lang={language}")[2]
            assert words in overview and overview.count('class="warning packets"') == 1 and "tcp/443 99 %" in overview, language
            assert words in page and "198.18.0.0/16 12 %" in page and "987" in page, language
            assert words not in screen.ask(f"/incidents/1?lang={language}")[2], language


@case
def each_kind_of_intrusion_has_words_of_its_own():
    screen = attacked()
    for number, kind in enumerate(INTRUSIONS):
        for row, phase in enumerate(("rising", "held", "over")):
            incident_write(screen.history, 10 + number * 3 + row, ["b.test"], phase=phase, kind=kind, points=False, through=5000 if phase != "held" else 0)
    with screen.ready(4):
        seen = {language: set() for language in LANGUAGES}
        for number, (kind, (site_words, refused, through)) in enumerate(INTRUSIONS.items()):
            rising, held, over = (screen.ask(f"/incidents/{10 + number * 3 + row}")[2] for row in range(3))
            assert all(site_words in page for page in (rising, held, over)), kind
            assert through in rising and refused not in rising and refused in held and through not in held, kind
            assert "It is over: nothing of it has come" in over and "remains to be looked into" in over and refused not in over and through not in over, kind
            assert ("guia mode b.test local" in rising) == (kind in ("leak", "shell")) and "guia mode" not in held + over, kind
            for language in LANGUAGES:
                page = screen.ask(f"/incidents/{10 + number * 3}?lang={language}")[2]
                seen[language].add(re.search(r'<section id="affected">(.*?)</section>', page, re.S)[1])
                seen[language].add(re.search(r'<section id="if-nothing">.*?<p>(.*?)</p>', page, re.S)[1])
        assert all(len(texts) == 2 * len(INTRUSIONS) for texts in seen.values()) and not seen["pt"] & seen["en"] and not seen["zh-Hant"] & seen["en"], seen


@case
def links_lead_somewhere():
    screen = attacked()
    with screen.ready(4):
        todo, done = ["/", "/?lang=pt"], set()
        while todo:
            path = todo.pop()
            if path in done:
                continue
            done.add(path)
            code, _, page = screen.ask(path)
            assert code == 200, path
            if page.startswith("<!DOCTYPE html>"):
                todo += [link.replace("&amp;", "&") for link in re.findall(r'(?:href|src)="(/[^"]*)"', page)]
            assert len(done) < 200
        assert "/incidents/1/report?lang=pt" in done


def order(screen, csrf, value, more=""):
    """Presses a button -> how often: again while this machine has the watch not answer in three seconds, though it hears each."""
    for times in range(1, 20):
        code, headers, _ = screen.ask("/orders", "POST", f"csrf={csrf}&order={value.replace(' ', '+')}&back=/incidents/2{more}",
                                      Content_Type="application/x-www-form-urlencoded")
        assert code == 303 and headers["Location"] == "/incidents/2" + ("?lang=pt" if "lang=pt" in more else ""), headers["Location"]
        assert screen.ask("/incidents/2", "HEAD")[0] == 200  # shows nothing: it is told on the page still
        page = screen.ask(headers["Location"])[2]
        if "the watch does not answer" not in page:
            return times, page
    raise AssertionError("the watch was not heard")


@case
def what_is_in_force_can_be_undone():
    screen = attacked()
    with screen.ready(4):
        page = screen.ask("/incidents/2")[2]
        values = re.findall(r'<button form="order" name="order" value="([^"]*)"', page)
        assert values == ["lift 7", "open d.test", "unban 192.0.2.7/32", "unban 192.0.2.8/32"], values
        assert "floods" in page and "quiet please" in page and "user 4000000" in page and "root" in page
        csrf = screen.csrf("/incidents/2")
        screen.watch.answers["for"] = {"id": 3}
        heard, who = [], os.getuid()
        for value, words in zip(values, ("lift 7", "mode d.test open 1", "unban 192.0.2.7/32", "unban 192.0.2.8/32")):
            times, page = order(screen, csrf, value, "&why=a+test&lang=pt")
            heard += [f"for {who} {words} a test"] * times
            assert 'role="status">Feito: ' in page and "Feito" not in screen.ask("/incidents/2?lang=pt")[2]
        wait_for(lambda: len(screen.watch.orders()) >= len(heard), "orders")
        assert screen.watch.orders() == heard, screen.watch.orders()
        screen.watch.answers["for"] = {"fault": "nothing was said of <this> prefix"}
        assert 'role="alert">Not done: nothing was said of &lt;this&gt; prefix' in order(screen, csrf, "lift 9")[1]


def events(answer):
    name, lines = "", []
    while line := answer.readline().decode():
        line = line[:-1]
        if line == "":
            if name:
                yield name, "\n".join(lines)
            name, lines = "", []
        elif line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            lines.append(line[6:])


@case
def an_attack_is_seen_as_soon_as_it_is_known():
    screen = Screen()
    screen.watch.answers["status"] = status(site("a.test"))
    with screen.ready(1):
        connection = http.client.HTTPConnection("127.0.0.1", screen.port, timeout=120)
        connection.request("GET", "/live/?lang=en", headers={"Cookie": screen.cookie})
        told = events(connection.getresponse())
        assert any(name == "tiles" and 'class="tile up"' in text for name, text in told)
        screen.watch.answers["status"] = status(site("a.test", "open"))
        began = time.monotonic()
        assert any(name == "tiles" and 'class="tile attacked"' in text for name, text in told)
        print(f"# on screen after {time.monotonic() - began:.3f} s", flush=True)
        connection.close()


@case
def what_did_not_change_is_not_sent_again():
    screen = attacked()
    with screen.ready(4):
        connection = http.client.HTTPConnection("127.0.0.1", screen.port, timeout=120)
        connection.request("GET", "/live/incidents/1?lang=en", headers={"Cookie": screen.cookie})
        answer, seen = connection.getresponse(), []
        for name, _ in events(answer):
            seen.append(name)
            if len(seen) == 9:
                break
        assert len(set(seen)) == 9, seen
        line = answer.readline()
        assert line == b":\n", line
        connection.close()


def over_the_wire(screen, path):
    """-> (bytes as they come, compressed; the text)"""
    connection = http.client.HTTPConnection("127.0.0.1", screen.port, timeout=300)
    connection.request("GET", path, headers={"Cookie": screen.cookie, "Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    small = answer.headers["Content-Encoding"] == "gzip"
    assert answer.status == 200 and (small or path.endswith(".svg")), (path, answer.status)
    return len(body), (gzip.decompress(body) if small else body).decode()


@case
def a_hundred_sites_and_a_year_stay_small():
    screen = Screen()
    names = [f"site-{n:03}.example.gov.mo" for n in range(100)]
    screen.watch.answers["status"] = status(*(site(name, "mitigated" if n % 3 == 0 else "quiet") for n, name in enumerate(names)))
    keys = [(f"198.51.{n}.0/24 and more of it", 10.0 + n) for n in range(12)]
    screen.watch.answers["top"] = top(source=keys, network=keys, operator=keys, country=keys, path=keys, agent=keys, rule=keys)
    for number in range(1, 366):
        incident_write(screen.history, number, names[:10], onset=ONSET + number * 86400000, points=False)
    incident_write(screen.history, 366, names, onset=ONSET + 366 * 86400000, seconds=600)
    with screen.ready(100):
        for path in ("/", "/incidents", "/incidents/before/200", "/incidents/366", "/incidents/366/report"):
            began = time.monotonic()
            body, page = over_the_wire(screen, path)
            took = time.monotonic() - began
            parts = {part: over_the_wire(screen, part)[0] for part in re.findall(r'<(?:script|link)[^>]* (?:src|href)="(/[^"]*)"', page)}
            print(f"# {path}: {body} bytes in {took * 1000:.0f} ms, with {sum(parts.values())} of scripts and styles", flush=True)
            assert body + sum(parts.values()) < 100000, (path, body, parts)


@case
def plots_carry_their_values_where_something_draws_them():
    screen = attacked()
    with screen.ready(4):
        has_uplot = screen.ask("/uPlot.iife.min.js")[0] == 200
        assert screen.ask("/uPlot.min.css")[0] == screen.ask("/uPlot-licence.txt")[0] == (200 if has_uplot else 404)
        page, report = screen.ask("/incidents/1")[2], screen.ask("/incidents/1/report")[2]
        assert ("/uPlot.iife.min.js" in page) == ("/plot.js" in page) == has_uplot and "<script" not in report and "data-values" not in report
        figure = re.search(r'<figure data-layers="6" data-most="0" data-step="1000" data-at="(\d+)((?: \d+)*)" data-values="([^"]*)" data-marks="([^"]*)">', page)
        assert figure and int(figure[1]) == ONSET and figure[2].split() == [str(1000 * s) for s in range(1, 60)], figure
        assert figure[3].split()[:6] == ["80", "2", "30", "0", "0", "0"] and figure[3].split()[-6:] == ["80", "2", "30", "900", "0", "0"]
        assert figure[4] == "1@2000" and page.count("<figure data-layers=") == 2 and page.count('<p class="tools" hidden>') == 2


@case
def without_uplot_nothing_asks_for_it():
    with Screen(PLAIN).ready(0) as screen:
        incident_write(screen.history, 1, ["a.test"])
        wait_for(lambda: screen.ask("/incidents/1")[0] == 200, "an incident")
        page = screen.ask("/incidents/1")[2]
        assert "uPlot" not in page and "/plot.js" not in page and page.count("<svg") >= 2
        for path in ("/uPlot.iife.min.js", "/uPlot.min.css"):
            assert screen.ask(path)[0] == 404, path


@case
def no_history_is_said_and_no_more():
    screen = Screen()
    with screen:
        screen.watch.answers["status"] = status(site("a.test"))
        screen.watch.answers["history"] = {"path": "/nowhere/history.db"}
        screen.enter()
        wait_for(lambda: "a.test" in screen.ask("/")[2], "the watch's word")
        for path in ("/", "/incidents"):
            code, _, page = screen.ask(path)
            assert code == 200 and "cannot be read" in page
        assert screen.ask("/incidents/1")[0] == 404
        screen.history.write_bytes(b"no database" * 500)
        screen.watch.answers["history"] = {"path": str(screen.history)}
        wait_for(lambda: "it is damaged" in screen.ask("/incidents")[2], "the new place")
        assert screen.ask("/")[0] == 200
        screen.history.write_bytes(b"")
        assert screen.ask("/")[0] == 200 and screen.ask("/incidents")[0] == 200



main()
