"""guia drill: three short shapes, what it says of them, and that nothing of it is left. TAP.

Usage: drill_test.py GUIA. No case is decided by how fast this machine is: a run that was disturbed is void, and must say so.
"""
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import tap  # pylint: disable=wrong-import-position
from tap import Skip  # pylint: disable=wrong-import-position
from waiting import PATIENCE, wait_until  # pylint: disable=wrong-import-position

GUIA = pathlib.Path(sys.argv[1]).resolve()
SEED = "20240710"
CASES = []
RUNS = ("without", "with")


def case(function):
    CASES.append(function)
    return function


def may_drill():
    """Whether this machine has what a drill needs."""
    if len(os.sched_getaffinity(0)) < 2:
        raise Skip("one processor")
    cable = subprocess.run(["unshare", "-nmp", "ip", "link", "add", "here", "type", "veth", "peer", "name", "there"], capture_output=True,
                           text=True, check=False)
    if cable.returncode != 0:
        raise Skip(f"no namespaces, or no networks in them: {cable.stderr.strip()}")


def drill(*words, before=(), timeout=600):
    return subprocess.run([*before, GUIA, "drill", *words], capture_output=True, text=True, check=False, timeout=timeout,
                          stdin=subprocess.DEVNULL)


@contextlib.contextmanager
def ports_in_use():
    """What the drill listens at is taken on this machine, if it can be."""
    with contextlib.ExitStack() as stack:
        for port in (80, 443, 8080):
            taken = stack.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                taken.bind(("127.0.0.1", port))
                taken.listen()
        yield


def names(lines):
    return [line["name"] for line in lines]


def met(line):
    if line["value"] is None:
        return False
    return line["value"] >= line["at_least"] if "at_least" in line else line["value"] <= line["at_most"]


def verdict_of(shape):
    """The verdict that its own figures come to."""
    if not all(met(line) for line in shape["conditions"]):
        return "void"
    if shape["without"]["attack"]["answered_percent"] >= 50:
        return "harmless here"
    return "survived" if all(met(line) for line in shape["lines"]) else "not survived"


def check_run(run, shape):
    for second in run["seconds"]:
        residents = second["residents"]
        outcomes = ("unsent", "answered", "copy", "refused", "foreign", "closed", "late")
        assert sum(residents[name] for name in outcomes) == residents["asked"], second
        assert residents["foreign"] == 0, f"a page of somebody else's, or not the origin's: {second}"
        assert second["attack_sent"] <= second["attack_offered"], second
    quiet_seconds = shape["quiet_ms"] // 1000
    before, during = run["seconds"][:quiet_seconds], run["seconds"][quiet_seconds:]
    assert all(second["attack_offered"] == 0 and second["origin_attackers"] == 0 for second in before), "no attack before its time"
    assert any(second["attack_sent"] > 0 for second in during)
    assert shape["quiet_ms"] / 1000 <= run["onset_s"] < (shape["quiet_ms"] + shape["attack_ms"]) / 1000, run["onset_s"]
    assert sum(second["residents"]["answered"] for second in before) > 0
    assert sum(second["origin_residents"] for second in run["seconds"]) > 0


TRIES = 2  # each drill tries what was disturbed again, too


def check_shape(shape):
    for run in RUNS:
        check_run(shape[run], shape)
    assert shape["verdict"] == verdict_of(shape), shape["name"]
    assert all(line["met"] == met(line) for line in shape["conditions"] + shape["lines"]), shape
    if shape["verdict"] == "void":
        return
    attack, quiet = shape["without"]["attack"], shape["without"]["quiet"]
    assert attack["answered_percent"] < quiet["answered_percent"], f"the attack did no harm at all: {shape['name']}"
    if shape["name"] != "slow-head":
        assert sum(second["origin_attackers"] for second in shape["without"]["seconds"]) > 1000, "it reached the origin"


def told_of(wanted):
    """One drill of these shapes, checked -> {name: verdict}"""
    done = drill("--brief", "--json", "--seed", SEED, *(word for name in wanted for word in ("--shape", name)))
    assert done.returncode in (0, 1, 3) and done.stdout, done
    told = json.loads(done.stdout)
    assert told["seed"] == int(SEED) and names(told["shapes"]) == wanted, told["seed"]
    assert told["seconds"] > 0, told["seconds"]
    for shape in told["shapes"]:
        check_shape(shape)
    verdicts = [shape["verdict"] for shape in told["shapes"]]
    assert done.returncode == (1 if "not survived" in verdicts else 3 if "void" in verdicts else 0), (done.returncode, verdicts)
    return dict(zip(wanted, verdicts))


@case
def three_short_shapes_are_told_as_they_went():
    """What the machine disturbed is tried again; what it disturbs each time says nothing."""
    may_drill()
    left = ["get-flood", "diffuse", "slow-head"]
    for _ in range(TRIES):
        verdicts = told_of(left)
        left = [name for name in left if verdicts[name] == "void"]
        if not left:
            return
    raise Skip(f"this machine disturbed every run of {', '.join(left)}")


def parents():
    """{process: its parent}"""
    found = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            found[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    return found


def family(ancestor):
    """The process and all that come from it, as far as they are there."""
    of, mine = parents(), {ancestor}
    while True:
        more = {pid for pid, parent in of.items() if parent in mine} | mine
        if more == mine:
            return mine & set(of)
        mine = more


def network_of(pid):
    try:
        return os.readlink(f"/proc/{pid}/ns/net")
    except OSError:
        return None


def inhabitants(networks):
    """Processes in one of these networks, whoever's child they are now."""
    return {pid for pid in parents() if network_of(pid) in networks}


def files(folder):
    """What the drill could leave: in the folder for temporary files that it is given, and where it mounts."""
    return {str(path) for place in (folder, "/mnt", "/media", "/srv", "/opt", "/run") for path in pathlib.Path(place).glob("*")}


def drill_mounts():
    return [line for line in pathlib.Path("/proc/mounts").read_text().splitlines() if line.startswith("guia-drill ")]


def killed_in_the_midst(number):
    """Looks at this drill's own processes and networks: other tests may have theirs meanwhile. -> whether it was before its end"""
    with tempfile.TemporaryDirectory() as folder:
        before = files(folder)
        child = subprocess.Popen([GUIA, "drill", "--brief", "--shape", "slow-head", "--seed", SEED], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, env={**os.environ, "TMPDIR": folder})
        try:
            # The two clients come last: guia, its init, serve, nginx and its worker, the origin, and they.
            wait_until(lambda: len(family(child.pid)) >= 8 or child.poll() is not None, "the drill did not begin")
            time.sleep(1)
            mine = family(child.pid)
            networks = {network_of(pid) for pid in mine} - {network_of(os.getpid()), None}
            if child.poll() is not None or len(mine) < 8:
                return False
            assert len(networks) >= 2, "it has networks of its own"
        finally:
            child.send_signal(number)
            child.wait(PATIENCE)
        wait_until(lambda: not inhabitants(networks), "processes were left in the drill's networks")
        wait_until(lambda: not {pid for pid in mine if pid in parents()}, "processes were left")
        assert not drill_mounts(), "a mount was left"
        assert files(folder) <= before, "files were left"
    return True


def killed_by(number):
    assert any(killed_in_the_midst(number) for _ in range(5)), "each drill was over before it was killed"


@case
def nothing_is_left_after_sigkill():
    may_drill()
    killed_by(signal.SIGKILL)


@case
def nothing_is_left_after_ctrl_c():
    may_drill()
    killed_by(signal.SIGINT)


@case
def without_root_it_works_in_a_namespace_of_users():
    """And without a home, a folder for temporary files, and the ports."""
    may_drill()
    user = () if os.geteuid() != 0 else ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", "HOME=/nonexistent", "TMPDIR=/nonexistent")
    if subprocess.run([*user, "unshare", "-Unmp", "true"], capture_output=True, check=False).returncode != 0:
        raise Skip("no namespaces for users")
    if subprocess.run([*user, "test", "-x", GUIA], capture_output=True, check=False).returncode != 0:
        raise Skip("the build is not readable for others")
    with ports_in_use():
        done = drill("--brief", "--json", "--seed", SEED, "--shape", "slow-body", before=user)
    assert done.returncode in (0, 1, 3) and done.stdout, done
    assert "without root" in done.stderr, done.stderr
    shape = json.loads(done.stdout)["shapes"][0]
    for run in RUNS:
        check_run(shape[run], shape)


@case
def without_nginx_it_says_so():
    may_drill()
    if os.geteuid() != 0:
        raise Skip("needs root")
    hide = 'for f in /usr/sbin/nginx /usr/local/sbin/nginx; do [ ! -e $f ] || mount --bind /dev/null $f; done; exec "$@"'
    done = drill("--brief", "--shape", "get-flood", before=("unshare", "-m", "sh", "-c", hide, "sh"))
    assert done.returncode == 3 and "there is no nginx" in done.stderr, done


@case
def without_a_second_processor_it_says_so():
    done = drill("--brief", before=("taskset", "-c", str(min(os.sched_getaffinity(0)))))
    assert done.returncode == 3 and "two processors" in done.stderr, done


@case
def where_namespaces_are_refused_it_says_so():
    may_drill()
    if os.geteuid() != 0:
        raise Skip("needs root")
    # In a namespace of users of one's own the number of further ones is one's own to limit.
    refuse = 'echo 0 >/proc/sys/user/max_net_namespaces && exec "$@"'
    done = drill("--brief", before=("unshare", "-U", "-r", "sh", "-c", refuse, "sh"))
    assert done.returncode == 3 and "does not allow" in done.stderr, done


def main():
    sys.exit(1 if tap.run([(tap.title(function), function) for function in CASES]) else 0)


if __name__ == "__main__":
    main()
