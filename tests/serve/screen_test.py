"""The screen that guia serve runs: an attack on a real gate is on it as soon as it is known, what holds it is lifted by a button in the name
of whoever pressed it, and the screen is started, kept and ended as the configuration says. TAP."""
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import time

from crowds import VISITORS, Crowd, SlowOrigin, flood, visit
from harness import GUIA, Origin, Serve, case, main, site, wait_for
from officer import Officer
from onset import HEADINGS, a_site, observe

QUIET_REQUESTS = 900
LONG = 240


def told(gate, *words):
    done = subprocess.run([GUIA, *words, "-c", gate.config, "--json"], capture_output=True, check=False, timeout=300)
    return json.loads(done.stdout) if done.stdout else {}


def signatures(gate):
    return [m["id"] for m in a_site(gate).get("episode", {}).get("mitigations", []) if m["kind"] == "signature" and m["stage"] == "in force"]


def screens(gate):
    """The processes that serve it."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and (entry / "cmdline").read_bytes().split(b"\0")[1:4] == [b"screen", b"--run-dir", str(gate.run).encode()]:
                found.append(int(entry.name))
    return found


@case
def an_attack_is_seen_and_what_holds_it_is_lifted():
    origin = SlowOrigin()
    with Serve(site(origin)) as gate:
        officer = Officer(gate)
        visitors = Crowd(VISITORS, visit, gate.port)
        wait_for(lambda: 'class="tile up"' in officer.page("/"), "a site that is up", LONG, seen=lambda: officer.page("/"))
        wait_for(lambda: a_site(gate).get("quiet_requests_kept", 0) >= QUIET_REQUESTS, "what is normal", LONG)
        attackers = Crowd(1, flood, gate.port)
        wait_for(lambda: 'class="tile attacked"' in officer.page("/"), "an attack on the screen", LONG)
        wait_for(lambda: "/incidents/1" in officer.page("/"), "an incident", LONG)
        wait_for(lambda: signatures(gate), "a signature", LONG, seen=lambda: a_site(gate))
        wait_for(lambda: 'value="lift ' in officer.page("/incidents/1"), "a button", LONG)
        value = re.search(r'value="(lift \d+)"', officer.page("/incidents/1")).group(1)
        assert "a.test" in officer.page("/incidents/1") and officer.page("/incidents/1/report?lang=pt").endswith("</html>\n")
        pages = [officer.press("/incidents/1", value, "ours, by mistake")]
        while "the watch does not answer" in pages[-1] and len(pages) < 20:  # within three seconds; what it was told it may still do
            pages.append(officer.press("/incidents/1", value, "ours, by mistake"))
        assert f"Done: {value} ours, by mistake" in pages[-1] or (len(pages) > 1 and "no measure of this number" in pages[-1]), pages[-1]
        number = int(value.split()[1])
        assert number not in signatures(gate)
        wait_for(lambda: f"user {os.getuid()}: {value} ours, by mistake" in officer.page("/incidents/1"), "a line of who did it", LONG)
        assert "was lifted by a person" in gate.said()
        until = time.monotonic() + 5
        while time.monotonic() < until:
            assert signatures(gate) == [], "it came back behind his back"
            time.sleep(0.5)
        wait_for(lambda: "Not done: no measure of this number" in officer.press("/incidents/1", value, ""), "word that it is lifted already")
        attackers.end()
        visitors.end()
    origin.stop()


@case
def the_report_is_complete_while_the_attack_lasts():
    moments, seen, record = observe()
    print(f"# after the first request: {moments}", flush=True)
    assert 0 < moments["tile"] and 0 < moments["incident"] < moments["report"], moments
    assert record["onset_ms"] <= record["detected_ms"] and [s["site"] for s in record["sites"]] == ["a.test"], record
    for name in ("report", "page"):
        assert f"Incident {record['incident']}" in seen["page"] and "<dd>over</dd>" not in seen[name] and "a.test" in seen[name], seen[name]
    assert seen["report"].count("<h2>") == HEADINGS and seen["report"].endswith("</html>\n"), re.findall("<h2>.*</h2>", seen["report"])
    assert "not yet known" in seen["report"], "its end is not known while it lasts"


@case
def bans_and_modes_are_undone_in_the_name_of_who_did_it():
    origin = Origin()
    with Serve(site(origin) + "home_networks: [192.0.2.0/24]\n") as gate:
        officer = Officer(gate)
        wait_for(lambda: "a.test" in officer.page("/"), "a site", LONG)
        for words in (("ban", "198.51.100.7", "--why", "<b>a test</b>"), ("mode", "a.test", "local", "--why", "another")):
            subprocess.run([GUIA, *words, "-c", gate.config], capture_output=True, check=True, timeout=300)
        wait_for(lambda: "198.51.100.7" in officer.page("/measures") and "another" in officer.page("/measures"), "what is in force", LONG)
        assert "&lt;b&gt;a test&lt;/b&gt;" in officer.page("/measures")
        officer.press("/measures", "unban 198.51.100.7", "")
        officer.press("/measures", "open a.test", "")
        wait_for(lambda: told(gate, "ban")["orders"] == [] and told(gate, "mode")["modes"] == [], "nothing in force", LONG, seen=lambda: told(gate, "mode"))
    origin.stop()


@case
def it_is_of_a_user_of_few_rights():
    origin = Origin()
    with Serve(site(origin)) as gate:
        Officer(gate)
        (pid,) = screens(gate)
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        if os.getuid() == 0:
            assert "Uid:\t0" not in status and re.search(r"CapEff:\s+0+\n", status), status
    origin.stop()


@case
def it_is_started_kept_and_ended():
    origin = Origin()
    with Serve(site(origin)) as gate:
        officer = Officer(gate)
        (first,) = screens(gate)
        gate.change(site(origin) + "body_limit_mb: 3\n")
        assert screens(gate) == [first] and officer.ask("/")[0] == 200, "a session outlives a reload"
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: len(officer.printed()) > 1, "another address", LONG)
        officer.port = int(officer.printed()[-1].split(":")[2].split("/")[0])  # another one, where the usual one is somebody else's
        assert officer.ask("/")[0] == 403
        done = subprocess.run([GUIA, "screen", "--address", "-c", gate.config], capture_output=True, check=True, timeout=300)
        officer.enter(done.stdout.decode().strip())
        assert officer.ask("/")[0] == 200
        gate.change(site(origin) + "screen: off\n")
        wait_for(lambda: screens(gate) == [], "its end", LONG)
        gate.change(site(origin))
        wait_for(lambda: screens(gate) != [], "its beginning", LONG)
        gate.end()
        assert screens(gate) == [], "it outlived guia serve"
    origin.stop()


main()
