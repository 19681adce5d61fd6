"""guia serve beside a watch that hangs: it is killed and another goes on with the same episode, while the gate serves and refuses. A
machine that stood still as a whole is no watch that hangs. TAP."""
import json
import os
import subprocess
import time

from crowds import TOOL, VISITORS, Crowd, SlowOrigin, ask, flood, refused_attackers, visit
from harness import FOLDER, GUIA, Origin, Serve, case, main, site, wait_for
import processes
from notify import Manager
from processes import stopped

QUIET_REQUESTS = 900
LONG = 240
LENT_SECONDS = 12  # so long the gate surely has what a watch was seen to have in force: src/mitigate/rule_register.h
RECORD_SECONDS = 30  # an episode that was written so long ago is none to go on with: src/incident/record.c
SILENT_SECONDS = 12  # so long a watch may be while serve runs: src/serve/companion.h
STILL_SECONDS = 20
TURNS = 8  # of serve, two seconds each at most: in these it would see, and kill
KILLED = f"the watch has shown no sign of life for {SILENT_SECONDS} s: it is killed"


def told(gate):
    done = subprocess.run([GUIA, "status", "-c", gate.config, "--json"], capture_output=True, check=False, timeout=300)
    sites = json.loads(done.stdout)["sites"] if done.returncode in (0, 1) else []
    return next((s for s in sites if s["site"] == "a.test"), {})


def is_up(gate):
    return subprocess.run([GUIA, "status", "-c", gate.config], capture_output=True, check=False, timeout=300).returncode == 0


def in_force(gate):
    """-> (the episode, its signatures in force), once there is one."""
    episode = told(gate).get("episode", {})
    ids = {m["id"] for m in episode.get("mitigations", []) if m["stage"] == "in force" and m["kind"] == "signature"}
    return (episode["id"], ids) if ids else None


def watch_pid(gate):
    """Without asking it. None: there is none."""
    return next((pid for pid in processes.children(gate.process.pid) if processes.words(pid)[1:2] == ["watch"]), None)


def episodes(gate):
    beside = FOLDER / f"{gate.run}.bans"
    return (beside if beside.exists() else gate.run / "bans") / "episodes"


def until_another_comes(gate, pid, fresh, visitors, lent_until):
    """The gate serves and refuses all the time, for as long as what is in force was lent."""
    end = time.monotonic() + LONG
    while watch_pid(gate) in (None, pid):
        assert time.monotonic() < end, f"no other watch came: {gate.said()[-2000:]}"
        status = ask(gate.port, next(fresh), TOOL, 1)
        assert status in (0, 403) or time.monotonic() > lent_until, f"what is refused was answered with {status}"
        time.sleep(0.1)
    wait_for(lambda: visitors.statuses[-100:].count(200) > 98, "visitors", seen=lambda: visitors.statuses[-100:])


@case
def a_watch_that_is_stopped_is_replaced_and_the_episode_goes_on():
    origin = SlowOrigin()
    with Serve(site(origin)) as gate:
        visitors = Crowd(VISITORS, visit, gate.port)
        wait_for(lambda: told(gate).get("quiet_requests_kept", 0) >= QUIET_REQUESTS, "what is normal", LONG, seen=lambda: told(gate))
        attackers = Crowd(1, flood, gate.port)
        before = wait_for(lambda: in_force(gate), "a signature", LONG, seen=lambda: told(gate))
        gate.looked()
        fresh = wait_for(lambda: refused_attackers(gate.port), "refusals", LONG, seen=lambda: told(gate))
        pid, asked = watch_pid(gate), []
        wait_for(lambda: asked.append(time.monotonic()) or in_force(gate), "what is in force", LONG, seen=lambda: told(gate))
        written = episodes(gate).stat().st_mtime
        with stopped(pid):
            visitors.statuses.clear()
            until_another_comes(gate, pid, fresh, visitors, asked[-1] + LENT_SECONDS)
        assert gate.said().count(KILLED) == 1 and "the watch ended (signal 9)" in gate.said(), gate.said()
        after = wait_for(lambda: in_force(gate), "what was in force", seen=lambda: (told(gate), gate.said()[-2000:]))
        went_on = "goes on from the watch before" in gate.said()
        too_late = not went_on and time.time() - written > RECORD_SECONDS  # on a slow machine
        assert too_late or (after[0] == before[0] and before[1] <= after[1]), (before, after, gate.said())
        assert 403 not in visitors.statuses
        attackers.end()
        visitors.end()
    origin.stop()


def turn(manager):
    """Of serve: it tells its manager in each that it lives."""
    before = manager.said.count(b"WATCHDOG=1")
    wait_for(lambda: manager.said.count(b"WATCHDOG=1") > before, "a turn of serve")


@case
def a_machine_that_stood_still_is_no_watch_that_hangs():
    origin = Origin()
    path = FOLDER / "notify"
    with Manager(path) as manager, Serve(site(origin), env={**os.environ, "NOTIFY_SOCKET": str(path)}) as gate:
        wait_for(lambda: is_up(gate), "the site up")
        pid, began = watch_pid(gate), time.monotonic()
        with stopped(pid):
            for _ in range(2):
                turn(manager)  # serve has heard all that the watch had said
            with stopped(gate.process.pid):
                stood = time.monotonic()
                time.sleep(STILL_SECONDS)
                stood = time.monotonic() - stood
            turn(manager)  # the watch had no time yet to say more
        silent = time.monotonic() - began - stood
        for _ in range(TURNS):
            turn(manager)
        assert silent > SILENT_SECONDS or (watch_pid(gate) == pid and "it is killed" not in gate.said()), (silent, gate.said())
        wait_for(lambda: is_up(gate), "the site up")
        assert gate.get("/")[0] == 200
        assert set(manager.said) == {b"READY=1", b"WATCHDOG=1"}, manager.said
    origin.stop()


main()
