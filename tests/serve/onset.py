"""From the first request of an attack to what whoever is on duty sees of it: a real gate with its watch and its screen, an origin of few
slots, visitors, and a flood on loopback."""
import json
import re
import subprocess
import time

from crowds import VISITORS, Crowd, SlowOrigin, flood, visit
from harness import GUIA, Serve, site, wait_for
from officer import Look, Officer

QUIET_REQUESTS = 900
LONG = 120
LATE_SECONDS = 1  # a visitor who waited so long in quiet times has seen harm
ROUNDS = 3
ATTACKED = 'class="tile attacked"><h3>a.test<'
HEADINGS = 9  # of a flood's report: docs/incidents.md
FILLED = {  # what can be told of any flood while it rises, by the heading it stands under; whatever else a report has says "not yet known"
    "Summary": "after the onset)", "Course": "<figure>", "Sites": "<td>a.test</td>", "Where requests came from": "<th scope=\"col\">Networks</th>", "What was done": "<td>onset: ",
}


def a_site(gate):
    done = subprocess.run([GUIA, "status", "-c", gate.config, "--json"], capture_output=True, check=False, timeout=300)
    sites = json.loads(done.stdout).get("sites", []) if done.stdout else []
    return next((s for s in sites if s["site"] == "a.test"), {})


def missing(report):
    """-> the headings under which a report does not tell yet what it could."""
    pieces = re.split(r"<h2>(.*?)</h2>", report)
    told = dict(zip(pieces[1::2], pieces[2::2]))
    return [heading for heading, text in FILLED.items() if text not in told.get(heading, "")]


def observe_once():
    """-> moments in seconds after the flood's first request: "tile" (the site is shown as attacked), "incident" (with its number) as a browser was
    sent them, "report" (a complete one was fetched); and what stood there while the attack went on. None: this machine was late before it, and
    harm was seen."""
    origin = SlowOrigin()
    with Serve(site(origin)) as gate:
        officer = Officer(gate)
        visitors = Crowd(VISITORS, visit, gate.port)
        wait_for(lambda: a_site(gate).get("quiet_requests_kept", 0) >= QUIET_REQUESTS, "what is normal", LONG, seen=lambda: a_site(gate))
        look = Look(officer, "/live/?lang=en")
        wait_for(lambda: look.first("tiles", 'class="tile up"'), "a site that is up", LONG)
        if look.first("tiles", ATTACKED) is not None and visitors.slowest > LATE_SECONDS:
            visitors.end()
            origin.stop()
            return None
        began = time.monotonic()
        attackers = Crowd(1, flood, gate.port)
        tile, _ = wait_for(lambda: look.first("tiles", ATTACKED), "an attack on the screen", LONG)
        incident, found = wait_for(lambda: look.first("incident", r'class="incident on">(?s:.*?)href="(/incidents/\d+)'), "an incident on the screen", LONG)
        path = found.group(1)
        report = wait_for(lambda: (text := officer.page(path + "/report?lang=en")) and not missing(text) and text, "a complete report", LONG, pause=0.05,
                          seen=lambda: missing(officer.page(path + "/report?lang=en")))
        complete = time.monotonic()
        seen = {"report": report, "page": officer.page(path + "?lang=en"), "overview": officer.page("/?lang=en")}
        attackers.end()
        visitors.end()
        record = json.loads(subprocess.run([GUIA, "incidents", path.rpartition("/")[2], "-c", gate.config, "--json"], capture_output=True, check=True).stdout)
    origin.stop()
    return {"tile": tile - began, "incident": incident - began, "report": complete - began}, seen, record


def observe():
    """The same, of the first round that nothing disturbed."""
    seen = next(filter(None, (observe_once() for _ in range(ROUNDS))), None)
    assert seen is not None, f"this machine was late {ROUNDS} times"
    return seen
