"""The screen in Debian's Chromium: three languages, with and without scripts, by keyboard, by axe-core's rules; screenshots are kept. TAP.

Usage: browser_test.py GUIA FOLDER PLAIN, where modules are installed and screenshots kept, and the same program without uPlot.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time

FOLDER, PLAIN = (pathlib.Path(sys.argv.pop(2)).resolve() for _ in range(2))

from harness import GUIA, LANGUAGES, Screen, Skip, case, incident_write, main, measure, site, status, top  # pylint: disable=wrong-import-position

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE = 1500
PAGES = 5
WORDS = {"en": ("Overview", "under attack", "Who is affected", "Effect on visitors"), "pt": ("Panorama", "sob ataque", "Quem é afetado", "Efeito nos visitantes"),
         "zh-Hant": ("總覽", "受攻擊", "受影響者", "對訪客的影響")}


def modules():
    for program in ("node", "npm", "chromium"):
        if shutil.which(program) is None:
            raise Skip(f"{program} is not installed")
    done = subprocess.run([HERE.parent.parent / "tools" / "npm-fetch", HERE / "npm", FOLDER], capture_output=True, text=True, check=False, timeout=180)
    if done.returncode != 0:
        raise Skip(done.stdout.strip())


def stage(program):
    screen = Screen(program)
    told = site("a.test", "mitigated")
    told["episode"]["mitigations"] = [measure(7, "no accept-language, and order of headers is one of 3")]
    screen.watch.answers["status"] = status(told, site("b.test"), site("c.test", up=False), site("d.test", mode={"mode": "local", "by": 0, "why": "", "until_ms": 1}),
                                            site("late.test"))
    screen.watch.answers["top"] = top(source=[("192.0.2.7", 40.0)], network=[("192.0.2.0/24", 340.0), ("198.51.100.0/24", 12.0)], country=[("ZZ", 350.0)],
                                      path=[("/search", 300.0)], agent=[("curl/7.88", 200.0)], rule=[("942100", 12.0)])
    screen.watch.answers["bans"]["orders"] = [{"id": 3, "kind": "ban", "prefix": "192.0.2.7/32", "by": 0, "why": "floods the search", "until_ms": 1 << 41}]
    screen.watch.answers["for"] = {"id": 3}
    incident_write(screen.history, 1, ["a.test"])
    incident_write(screen.history, 2, ["a.test", "b.test"], phase="held", onset=int(time.time() * 1000) - 65000)
    incident_write(screen.history, 3, ["b.test"], phase="rising", kind="injection", onset=int(time.time() * 1000) - 30000, points=False,
                   tallies=(("rule", "942100", 40.0), ("path", "/search", 40.0), ("source", "192.0.2.7", 230.0), ("agent", "sqlmap/1.7", 200.0)))
    return screen


def job_for(screen, pages, looks, plots):
    name, value = screen.cookie.split("=")
    return {"origin": f"http://127.0.0.1:{screen.port}", "cookie": {"name": name, "value": value}, "pages": pages, "keys": "/incidents/2?lang=en", "live": "/?lang=en",
            "looks": looks, "plots": plots,
            "paper": [page for page in pages if page["name"] in ("incident-en", "intrusion-en", "report-en")]}


def drive(program, pages, looks, shots, plots):
    """-> what the browser tells, and the orders that it gave."""
    with stage(program) as screen:
        screen.ready(5)
        time.sleep(3)  # something to be plotted
        node = subprocess.Popen(["node", HERE / "browser.mjs", FOLDER, FOLDER / shots], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        limit = threading.Timer(PATIENCE, node.kill)
        limit.start()
        node.stdin.write(json.dumps(job_for(screen, pages, looks, plots)))
        node.stdin.close()
        told = []
        for line in node.stdout:
            told.append(json.loads(line))
            if told[-1].get("live") == "looking":
                sites = screen.watch.answers["status"]["sites"]
                screen.watch.answers["status"] = status(site("late.test", "open"), *(s for s in sites if s["site"] not in ("late.test", "a.test")))
        assert node.wait() == 0, "the browser's script failed"
        limit.cancel()
        return told, screen.watch.orders()


def pages_in(languages):
    return [{"name": f"{name}-{language}", "path": f"{path}?lang={language}"} for language in languages
            for name, path in (("overview", "/"), ("incidents", "/incidents"), ("incident", "/incidents/2"), ("intrusion", "/incidents/3"), ("report", "/incidents/2/report"))]


def has_uplot():
    with stage(GUIA) as screen:
        return screen.ask("/uPlot.iife.min.js")[0] == 200


def look():
    """Everything that the browser tells, once for all cases."""
    assert not look.failed, "the browser's script failed"
    if look.told is None:
        modules()
        look.failed = True
        look.plots = has_uplot()
        look.told, look.orders = drive(GUIA, pages_in(LANGUAGES), pages_in(LANGUAGES[:1]), "screenshots", look.plots)
        look.failed = False
    return look.told


look.told, look.failed = None, False


@case
def three_languages_are_shown_with_scripts_and_without():
    told = look()
    for language, (overview, attacked, affected, effect) in WORDS.items():
        for key in ("page", "plain"):
            texts = {line[key]: line["text"] for line in told if key in line}
            assert overview in texts[f"overview-{language}"] and attacked in texts[f"overview-{language}"], (key, language)
            assert affected in texts[f"incident-{language}"] and effect in texts[f"report-{language}"], (key, language)
            assert "a.test" in texts[f"incidents-{language}"]


@case
def no_page_complains_or_asks_elsewhere():
    for line in look():
        assert line.get("told", []) == [], line


@case
def axe_finds_nothing_serious():
    for line in look():
        serious = [fault for fault in line.get("axe", []) if fault[0] in ("serious", "critical")]
        assert serious == [], (line["page"], serious)
    assert sum("axe" in line for line in look()) == PAGES * (len(LANGUAGES) + 2)


@case
def no_page_is_wider_than_the_window():
    for line in look():
        assert line.get("wider", 0) <= 0, line


def seconds(words):
    """Of a reading's time, as a number."""
    hours, minutes, rest = re.match(r"(\d+):(\d+):(\d+) UTC", words).groups()
    return int(hours) * 3600 + int(minutes) * 60 + int(rest)


@case
def plots_are_read_and_looked_at_closer():
    line = next(line for line in look() if "plots" in line)
    if not look.plots:
        raise Skip("this build is without uPlot")
    seen = line["plots"]
    assert line["told"] == [] and seen["drawn"] == 2 and not any(seen["svg"]), line
    assert seconds(seen["pointed"]["when"]) and len([v for v in seen["pointed"]["values"] if v]) == 6, seen["pointed"]
    read = [seconds(text) for text in seen["read"]]
    assert read[1] == read[0] + 1 and read[2] == read[0] + 2 and read[3] == read[1] and read[4] == read[0] + 59, seen["read"]
    assert "passed 160; blocked by rules 4" in seen["read"][0] and "refused by a signature 1\u202f800" in seen["read"][4], seen["read"]
    whole, closer, dragged = seconds(seen["whole"]), seconds(seen["closer"]), seconds(seen["dragged"])
    assert whole == read[0] and closer - whole >= 30 and seen["again"] == seen["all"] == seen["whole"] and 15 <= dragged - whole <= 30, seen
    assert all(seen["paper"]) and not seen["boxOnPaper"], seen
    assert seen["kept"], "the plot was drawn anew under whoever read it"


@case
def without_uplot_the_servers_drawing_stays():
    look()
    pages = [page for page in pages_in(LANGUAGES[:1]) if page["name"] in ("overview-en", "incident-en")]
    told, _ = drive(PLAIN, pages, [], "screenshots-plain", False)
    seen = next(line["plots"] for line in told if "plots" in line)
    assert seen["drawn"] == 0 and len(seen["svg"]) == 2 and all(seen["svg"]), seen
    for line in told:
        assert line.get("told", []) == [], line


@case
def everything_is_reached_by_keyboard_and_seen():
    stops = next(line["keys"] for line in look() if "keys" in line)
    reached = [stop["text"] for stop in stops]
    for wanted in ("Skip to the content", "Overview", "Português", "Report", "why", "Lift measure 7", "Lift the ban of 192.0.2.7/32"):
        assert any(wanted in text for text in reached), (wanted, reached)
    for stop in stops:
        assert stop["tag"] == "BODY" or stop["seen"], stop


@case
def a_live_page_changes_and_leaves_the_keyboard_where_it_is():
    seen = next(line for line in look() if line.get("live") == "seen")
    assert seen["focus"].startswith("/incidents/2") and seen["loads"] == 1, seen


@case
def a_button_undoes():
    line = next(line for line in look() if "order" in line)
    assert "Done: unban 192.0.2.7/32 a mistake" in line["order"] and "/incidents/2" in line["at"], line
    assert len(look.orders) == 1 and look.orders[0].endswith(" unban 192.0.2.7/32 a mistake"), look.orders


@case
def screenshots_are_kept():
    look()
    assert len(list((FOLDER / "screenshots").glob("*.png"))) == PAGES * (2 * len(LANGUAGES) + 2) + 3 and (FOLDER / "screenshots" / "incident.pdf").stat().st_size > 1000


main()
