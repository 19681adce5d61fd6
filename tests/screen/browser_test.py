"""The screen in Debian's Chromium: three languages, with and without scripts, by keyboard, by axe-core's rules; screenshots are kept. TAP.

Usage: browser_test.py GUIA FOLDER, where modules are installed and screenshots kept.
"""
import json
import pathlib
import shutil
import subprocess
import sys
import threading
import time

FOLDER = pathlib.Path(sys.argv.pop(2))

from harness import LANGUAGES, Screen, Skip, case, incident_write, main, measure, site, status, top  # pylint: disable=wrong-import-position

MODULES = ("playwright-core", "axe-core")
PATIENCE = 240
WORDS = {"en": ("Overview", "under attack", "Who is affected", "Effect on visitors"), "pt": ("Panorama", "sob ataque", "Quem é afetado", "Efeito nos visitantes"),
         "zh-Hant": ("總覽", "受攻擊", "受影響者", "對訪客的影響")}


def modules():
    for program in ("node", "npm", "chromium"):
        if shutil.which(program) is None:
            raise Skip(f"{program} is not installed")
    if not all((FOLDER / "node_modules" / name).is_dir() for name in MODULES):
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / "package.json").write_text('{"private": true}')
        done = subprocess.run(["npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", *MODULES], cwd=FOLDER, capture_output=True, check=False,
                              timeout=180)
        if done.returncode != 0:
            raise Skip("npm cannot fetch " + " and ".join(MODULES))


def stage():
    screen = Screen()
    told = site("a.test", "mitigated")
    told["incident"]["mitigations"] = [measure(7, "no accept-language, and order of headers is one of 3")]
    screen.watch.answers["status"] = status(told, site("b.test"), site("c.test", up=False), site("d.test", mode={"mode": "local", "by": 0, "why": "", "until_ms": 1}),
                                            site("late.test"))
    screen.watch.answers["top"] = top(source=[("192.0.2.7", 40.0)], network=[("192.0.2.0/24", 340.0), ("198.51.100.0/24", 12.0)], country=[("ZZ", 350.0)],
                                      path=[("/search", 300.0)], agent=[("curl/7.88", 200.0)], rule=[("942100", 12.0)])
    screen.watch.answers["bans"]["orders"] = [{"id": 3, "kind": "ban", "prefix": "192.0.2.7/32", "by": 0, "why": "floods the search", "until_ms": 1 << 41}]
    screen.watch.answers["for"] = {"id": 3}
    incident_write(screen.history, 1, ["a.test"])
    incident_write(screen.history, 2, ["a.test", "b.test"], phase="held", onset=int(time.time() * 1000) - 65000)
    return screen


def look():
    """Everything that the browser tells, once for all cases."""
    assert not look.failed, "the browser's script failed"
    if look.told is None:
        modules()
        look.failed = True
        pages = [{"name": f"{name}-{language}", "path": f"{path}?lang={language}"} for language in LANGUAGES
                 for name, path in (("overview", "/"), ("incidents", "/incidents"), ("incident", "/incidents/2"), ("report", "/incidents/2/report"))]
        with stage() as screen:
            screen.ready(5)
            time.sleep(3)  # something to be plotted
            name, value = screen.cookie.split("=")
            job = {"origin": f"http://127.0.0.1:{screen.port}", "cookie": {"name": name, "value": value}, "pages": pages, "keys": "/incidents/2?lang=en",
                   "live": "/?lang=en"}
            node = subprocess.Popen(["node", pathlib.Path(__file__).with_name("browser.mjs"), FOLDER, FOLDER / "screenshots"], stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, text=True)
            limit = threading.Timer(PATIENCE, node.kill)
            limit.start()
            node.stdin.write(json.dumps(job))
            node.stdin.close()
            told = []
            for line in node.stdout:
                told.append(json.loads(line))
                if told[-1].get("live") == "looking":
                    late = next(s for s in screen.watch.answers["status"]["sites"] if s["site"] == "late.test")
                    screen.watch.answers["status"] = status(site("late.test", "open"), *(s for s in screen.watch.answers["status"]["sites"] if s is not late
                                                                                         and s["site"] != "a.test"))
            assert node.wait() == 0, "the browser's script failed"
            limit.cancel()
            look.orders = screen.watch.orders()
        look.told, look.failed = told, False
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
    assert sum("axe" in line for line in look()) == 4 * len(LANGUAGES)


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
    assert len(list((FOLDER / "screenshots").glob("*.png"))) == 8 * len(LANGUAGES) and (FOLDER / "screenshots" / "incident.pdf").stat().st_size > 1000


main()
