"""guia edge attach and detach: natively, generically, by whom, killed at each step, and what is left. TAP."""
import itertools
import json
import pathlib
import shutil
import signal
import subprocess
import time

from world import GUIA, HOLDER, NOBODY, Skip, as_user, attach, case, edge, holder, is_carrying, main, run, shown, wait_for


@case
def in_the_driver_or_in_front_of_the_network_stack():
    assert "near: attached, native" in attach()
    assert "near: was attached already" in edge("attach", "near", "lo")
    assert {(i["name"], i["mode"]) for i in shown()["interfaces"]} == {("near", "native"), ("lo", "generic")}
    told = edge("detach")
    assert "near: detached" in told and "lo: detached" in told, told
    assert "takes no XDP program" in edge("attach", "lo", "--native", code=3)
    assert "near: attached, generic" in edge("attach", "near", "--generic", "--bans", 1000)
    assert shown()["interfaces"] == [{"name": "near", "mode": "generic"}]
    edge("detach")
    assert not is_carrying("near") and not is_carrying("lo")


def kept_objects():
    """Ids of what is pinned, by kind."""
    for path in pathlib.Path("/run/guia-edge/pins").iterdir():
        kind = "link" if path.name.startswith("link-") else "prog" if path.name == "program" else "map"
        yield kind, json.loads(run("bpftool", "-j", kind, "show", "pinned", path))["id"]


def is_there(kind, number):
    return subprocess.run(["bpftool", kind, "show", "id", str(number)], capture_output=True, check=False).returncode == 0


@case
def detached_nothing_is_left():
    attach()
    kept = list(kept_objects())
    assert is_carrying("near") and len(kept) == 16 and all(is_there(*one) for one in kept), kept
    edge("detach")
    assert not is_carrying("near") and not pathlib.Path("/run/guia-edge").exists()
    assert "guia-edge" not in pathlib.Path("/proc/mounts").read_text()
    wait_for(lambda: not any(is_there(*one) for one in kept), "the kernel to free all")
    assert "no edge is attached" in edge("detach", code=2) and "no edge is attached" in edge("show", code=3)


@case
def what_cannot_be_is_said_and_leaves_nothing():
    assert "there is no such interface" in edge("attach", "nowhere", code=2)
    assert "there is no such interface" in edge("attach", "near", "nowhere", "--bans", 1000, code=2)
    assert "which interface" in edge("attach", code=2)
    assert "at most" in edge("attach", "near", "--bans", "many", code=2)
    assert "no such user" in edge("attach", "near", "--user", "nobody-of-that-name", code=2)
    assert "there are attach" in edge("fly", code=2)
    assert edge("attach", "near", code=3, before=as_user(NOBODY))
    assert not is_carrying("near") and not pathlib.Path("/run/guia-edge").exists()


@case
def another_program_stays_attached():
    attach()
    assert "attached to it already" in edge("attach", "near", "--bans", 1000, "--at", "/run/other/pins", code=2)
    assert not pathlib.Path("/run/other").exists() and is_carrying("near")
    edge("detach")


@case
def an_attach_that_fails_gives_nothing_away():
    edge("attach", "near", "--bans", "1000", "--user", "nobody")
    edge("attach", "absent", "--user", "root", code=2)
    assert pathlib.Path("/run/guia-edge/pins/control").stat().st_uid == NOBODY
    edge("attach", "near", "--user", "root")
    assert pathlib.Path("/run/guia-edge/pins/control").stat().st_uid == 0
    edge("detach")


@case
def an_interface_that_comes_back_is_attached_again():
    run("ip", "link", "add", "brief.5", "type", "veth", "peer", "name", "other")
    edge("attach", "brief.5", "--bans", 1000)
    run("ip", "link", "del", "brief.5")
    assert shown()["interfaces"] == [{"name": "brief.5", "mode": "gone"}]
    run("ip", "link", "add", "brief.5", "type", "veth", "peer", "name", "other")
    assert "brief.5: attached, native" in edge("attach", "brief.5")
    assert shown()["interfaces"] == [{"name": "brief.5", "mode": "native"}]
    run("ip", "link", "del", "brief.5")
    assert "brief.5: detached" in edge("detach")


@case
def the_units_capabilities_are_enough():
    unit = (pathlib.Path(__file__).resolve().parents[2] / "packaging" / "guia-edge.service").read_text()
    names = next(line for line in unit.splitlines() if line.startswith("CapabilityBoundingSet=")).split("=")[1].split()
    few = ("setpriv", "--bounding-set=-all," + ",".join("+" + name.removeprefix("CAP_").lower() for name in names), "--inh-caps=-all")
    edge("attach", "near", "--bans", 1000, "--user", "nobody", before=few)
    edge("attach", "lo", before=few)
    edge("detach", before=few)
    assert not is_carrying("near") and not pathlib.Path("/run/guia-edge").exists()


@case
def maps_of_another_version_are_refused():
    attach()
    holder("age")
    assert "not an edge of this version" in edge("show", code=3)
    assert "not of this version" in edge("attach", "near", code=2)
    holder("check", code=1)
    edge("detach")
    assert not is_carrying("near")


@case
def who_owns_the_maps_needs_no_rights_and_adopts_them_after_a_kill():
    attach("--user", "nobody")
    nobody, other = as_user(NOBODY), as_user(NOBODY - 1)
    for delay in range(5):
        with subprocess.Popen([*nobody, HOLDER, "/run/guia-edge/pins", "churn", "10.9.0.0"], stdout=subprocess.PIPE) as child:
            assert child.stdout.readline() == b"churning\n"
            time.sleep(0.05 + 0.037 * delay)
            child.send_signal(signal.SIGKILL)
        holder("check", before=nobody)
    assert "IPv4 /32" in edge("show", before=nobody)
    assert "Permission denied" in edge("show", code=3, before=other)
    assert edge("detach", code=3, before=nobody)
    assert is_carrying("near")
    edge("detach")


def killed_at(call, nth, *words):
    """Whether the command got as far as to be killed on entering its nth such system call."""
    done = subprocess.run(["strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={nth}",
                           GUIA, "edge", *words], capture_output=True, check=False, timeout=300)
    assert done.returncode in (0, -signal.SIGKILL, 128 + signal.SIGKILL), (call, nth, done)
    return done.returncode != 0


CHANGING = ("mkdir", "mount", "flock", "chmod", "chown", "rename", "bpf", "unlink", "rmdir", "umount2")
TWO = ("attach", "near", "lo", "--bans", "1000")


def needs_strace():
    if not shutil.which("strace") or subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode != 0:
        raise Skip("strace is missing, or may not trace")


def detach_quietly():
    subprocess.run([GUIA, "edge", "detach"], capture_output=True, check=False)


def steps(prepare, words):
    """Prepares, runs and kills the command at each step that changes something, in turn; yields which it was."""
    for call in CHANGING:
        for nth in itertools.count(1):
            prepare()
            if not killed_at(call, nth, *words):
                break
            yield call, nth


def is_all_or_nothing(step):
    """What is shown is an edge with interfaces, or there is none and none carries a program."""
    told = subprocess.run([GUIA, "edge", "show", "--json"], capture_output=True, text=True, check=False)
    if told.returncode == 0:
        assert all(is_carrying(i["name"]) for i in json.loads(told.stdout)["interfaces"]), (step, told)
    else:
        assert not is_carrying("near") and not is_carrying("lo"), (step, told)


@case
def an_attach_killed_at_any_step_stops_no_other():
    needs_strace()
    count = 0
    for step in steps(detach_quietly, TWO):
        count += 1
        is_all_or_nothing(step)
        told = edge(*TWO)
        assert told.count("attached") == 2 and len(shown()["interfaces"]) == 2, (step, told)
        detach_quietly()
        assert not is_carrying("near") and not pathlib.Path("/run/guia-edge").exists(), step
    assert count > 60, count


@case
def what_a_killed_attach_left_is_gone_after_a_detach():
    needs_strace()
    for nth in (1, 5, 9):
        assert killed_at("chmod", nth, *TWO)
        assert "no edge is attached" in edge("detach", code=2)
        assert not pathlib.Path("/run/guia-edge").exists()


@case
def a_detach_killed_at_any_step_is_finished_by_the_next():
    needs_strace()

    def prepare():
        edge(*TWO)
    count = 0
    for number, step in enumerate(steps(prepare, ("detach",))):
        count += 1
        if number % 2 == 0:
            told = edge(*TWO)
            assert len(shown()["interfaces"]) == 2 and is_carrying("near") and is_carrying("lo"), (step, told)
        detach_quietly()
        assert not is_carrying("near") and not is_carrying("lo") and not pathlib.Path("/run/guia-edge").exists(), step
    assert count > 30, count


main()
