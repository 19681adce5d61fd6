"""The watch killed in mid-attack, before each of its system calls that write: the gate goes on refusing and serving, no ban outlives its
expiry, the next watch goes on with the same episode and the same rules, and an operator sees no change. When none comes, what was
asked of the operator is withdrawn, and what the gate refuses ends by itself. A full disk and a wall clock that jumps are survived, too.

Usage: killed_watch_test.py MODULE GUIA JUMPING_CLOCK [whole]. Without `whole` some of the calls, in a fixed spread.
"""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER.parent / part) for part in ("nginx", "upstream", "evidence")]
from crowds import BROWSERS, TOOL, VISITORS, Crowd, SlowOrigin, ask, flood, refused_attackers, visit  # noqa: E402
from harness import Gate, Skip, case, free_port, main, wait_until  # noqa: E402
import peers  # noqa: E402
from small_disk import small_disk  # noqa: E402
import processes  # noqa: E402
from waiting import wait_while_it_lasts  # noqa: E402

GUIA, CLOCK = (pathlib.Path(sys.argv.pop(2)).resolve() for _ in range(2))
WHOLE = "whole" in sys.argv and (sys.argv.remove("whole") or True)
WRITES = "write,pwrite64,writev,pwritev,pwritev2,sendto,sendmsg,mkdir,mkdirat,rename,renameat2,fsync,fdatasync,syncfs,ftruncate,fallocate,unlink,unlinkat,msync"
SPREAD = (1, 2, 3, 5, 8, 12, 17, 24, 33, 45)
LIVES_MOST = 120
START_SECONDS = 120
ORDERS_MOST = 80  # of a ban and a mode each: more than enough of such calls
LIFE_SECONDS = 300  # in which they are given
QUIET_REQUESTS = 900
RECORD_SECONDS = 30  # an episode that was written so long ago is none to go on with: src/incident/record.c
LENT_SECONDS = 12  # so long the gate surely has what a watch was seen to have in force: src/mitigate/rule_register.h
BAN_SECONDS = 3
ROUTE = "flow route { match { destination 192.0.2.10/32; protocol [ =17 ]; } then { discard; } }"


class World:
    """A gate in front of a slow origin, a watch, and the keeper of one operator, whose ExaBGP is played."""

    def __init__(self):
        self.origin, self.port = SlowOrigin(), free_port()
        self.gate = Gate("", workers=2, start=False)
        self.bans = self.gate.folder / "bans"
        self.bans.mkdir(mode=0o755)
        self.has_disk = small_disk(self.bans, 24)
        self.gate.configure(f"""
guia_events {self.gate.folder}/events; guia_bans {self.bans}; guia_admission 2m;
upstream origin {{ server 127.0.0.1:{self.origin.port}; keepalive 32; }}
server {{ listen 127.0.0.1:{self.port}; guia_site a.test;
    location / {{ proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host a.test; }} }}
""")
        self.gate.start()
        self.run, self.child, self.error = self.gate.folder / "run", None, ""
        self.temporary = tempfile.TemporaryDirectory(prefix="guia-keeper-")
        self.keeping = pathlib.Path(self.temporary.name)
        one = type("One", (), {"name": "one", "address": "127.1.0.2", "port": 1790, "peer_as": 65010})
        self.service, self.table = peers.Service(GUIA, self.keeping, [one]), peers.Table()
        (self.keeping / "keeper").mkdir(mode=0o750)
        self.table.start(self.service)
        wait_until(lambda: self.service.ask("status", patient=False), "the keeper answers")
        self.fresh = None
        self.before, self.lent_until, self.kept_until, self.written, self.said_before = None, 0, 0, 0, 0

    def start(self, *before):
        with contextlib.suppress(OSError):
            self.written = (self.bans / "episodes").stat().st_mtime
        self.error = self.gate.folder / "watch.err"
        self.said_before = self.error.stat().st_size if self.error.exists() else 0
        with open(self.error, "ab") as error:
            self.child = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *before, GUIA, "watch", "--run-dir", self.run, "--events", self.gate.folder / "events", "--bans", self.bans,
                 "--upstream", self.service.directory, "--link-mbit", "1000"], stdout=error, stderr=error)

    def kill(self):
        """It, and not strace before it."""
        children = processes.children(self.child.pid)
        with contextlib.suppress(ProcessLookupError):
            os.kill(children[0] if children else self.child.pid, signal.SIGKILL)
        self.child.wait(60)

    def guia(self, *words):
        """-> (exit code, stdout, stderr)"""
        done = subprocess.run([GUIA, *words, "--run-dir", self.run], capture_output=True, text=True, timeout=300, check=False)
        return done.returncode, done.stdout, done.stderr

    def verify(self):
        done = subprocess.run([GUIA, "evidence", "verify", self.bans / "evidence"], capture_output=True, text=True, timeout=300, check=False)
        return done.returncode, done.stdout, done.stderr

    def site(self):
        code, out, _ = self.guia("status", "--json")
        return next((s for s in json.loads(out)["sites"] if s["site"] == "a.test"), {}) if code in (0, 1) else {}

    def in_force(self):
        """-> (the episode, its mitigations in force by id), once there is one."""
        asked = time.monotonic()
        episode = self.site().get("episode", {})
        ids = {m["id"] for m in episode.get("mitigations", []) if m["stage"] == "in force" and m["kind"] == "signature"}
        self.lent_until = asked + LENT_SECONDS if ids else self.lent_until
        return (episode["id"], ids) if ids else None

    def is_refused(self):
        """Whoever is from where the attack comes, by each worker; from here on."""
        self.gate.looked()
        self.fresh = wait_until(lambda: refused_attackers(self.port), "what is refused", seen=self.site)

    def goes_on_again(self, lent_until):
        """What the watch before had lent until then, and the next one says to have in force: where the first has ended by now,
        the gate has it a moment after that was said."""
        status = ask(self.port, next(self.fresh), TOOL, 1)
        assert status in (0, 403) or time.monotonic() > lent_until, f"what is refused was answered with {status}"
        wait_until(lambda: ask(self.port, next(self.fresh), TOOL, 1) in (0, 403), "what is refused again", seen=self.site)
        self.gate.looked()
        wait_until(self.in_force, "what is in force", seen=self.site)

    def goes_on(self):
        """For as long as what is in force was lent: on a slow machine a watch may be killed, and the next one not be back by then."""
        status = ask(self.port, next(self.fresh), TOOL, 1)
        assert status in (0, 403) or time.monotonic() > self.lent_until, f"what is refused was answered with {status}"
        return True

    def ask_for_rule(self):
        """Until it is there: it is refused while no watch holds rules."""
        said = []
        wait_until(lambda: len(self.table.routes) == 1 or said.append(self.service.ask(f"ask one 3600 - flood\t{ROUTE}")), "the rule",
                   seen=lambda: said[-3:], pause=0.5)

    def holds(self):
        """Notes how long the rule surely stays, whatever becomes of the watch."""
        asked, told = time.monotonic(), self.service.ask("status")
        if told["held"]:
            self.kept_until = asked + told["watch"]["seconds_left"]

    def rule_is_there(self):
        """For as long as it was held: on a slow machine nobody may have said so in time, and it is asked for again."""
        there = len(self.table.routes)
        assert there == 1 or (there == 0 and time.monotonic() > self.kept_until), self.table.routes
        self.ask_for_rule()
        self.holds()

    def ordered(self, source, seconds):
        code, _, error = self.guia("ban", source, "--for", f"{seconds}s")
        assert code == 0, error

    def is_banned(self, source):
        return ask(self.port, source, BROWSERS[0], 0) == 0

    def orders(self, source):
        """What a person may want meanwhile; whoever answers may be killed. -> whether the source was surely banned for a while"""
        banned = self.guia("ban", source, "--for", f"{BAN_SECONDS}s", "--why", "a test")[0] == 0
        self.guia("mode", "a.test", "guarded", "--for", "2s")
        return banned


world = None


def attacked():
    """The world, with an attack in it that is refused."""
    global world  # pylint: disable=global-statement
    if world is None:
        w = World()
        w.start()
        w.visitors = Crowd(VISITORS, visit, w.port)
        wait_until(lambda: w.site().get("quiet_requests_kept", 0) >= QUIET_REQUESTS, "what is normal", seen=w.site)
        w.attackers = Crowd(1, flood, w.port)
        w.before = wait_until(w.in_force, "a signature", seen=w.site)
        w.is_refused()
        wait_until(lambda: w.service.ask("status")["held"], "the watch holds rules")
        w.ask_for_rule()
        w.holds()
        world = w
    return world


def is_back(w):
    """The same as before, for whoever asks."""
    lent_until = w.lent_until
    now = wait_until(w.in_force, "what was in force", seen=lambda: (w.site(), w.child.poll(), w.error.read_text()[-2000:]))
    same = now[0] == w.before[0] and w.before[1] <= now[1]
    went_on = b"goes on from the watch before" in w.error.read_bytes()[w.said_before:]
    assert same or (not went_on and time.time() - w.written > RECORD_SECONDS), (w.before, now, went_on)
    if same:
        w.goes_on_again(lent_until)
        w.goes_on()
    else:  # on a slow machine the last record was too old: what is in force is another's
        w.before = now
        w.is_refused()
    w.rule_is_there()
    assert "not taken" not in w.error.read_text() and "learned anew" not in w.error.read_text(), w.error.read_text()


def evidence_is_whole(w):
    """As a watch that was killed left it."""
    code, out, error = w.verify()
    assert code == 0, (code, out, error)
    return out


def killed_at(w, number):
    """-> whether it was: it may make fewer such calls in its time."""
    w.kill()
    evidence_is_whole(w)
    sources, sure, begun, asked, given = iter(f"127.9.{number % 250 + 1}.{i}" for i in range(1, 255)), [], False, time.monotonic(), 0
    w.start("strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={WRITES}", "-e", f"inject={WRITES}:signal=KILL:when={number}")
    end = time.monotonic() + START_SECONDS
    while w.child.poll() is None and time.monotonic() < end and given < ORDERS_MOST:
        if w.guia("ban")[0] == 0:
            end = time.monotonic() + LIFE_SECONDS if not begun else end
            begun, source, asked, given = True, next(sources), time.monotonic(), given + 1
            sure += [(source, asked)] if w.orders(source) else []
            w.holds()
        w.goes_on()
        time.sleep(0.02)
    killed = w.child.poll() is not None
    if not killed:
        w.kill()
    evidence_is_whole(w)
    w.goes_on()
    w.start()
    is_back(w)
    for source, ordered in sure[-1:]:
        banned = w.is_banned(source)
        assert banned or time.monotonic() > ordered + BAN_SECONDS, f"{source} was banned, and answered so"
    time.sleep(max(asked + BAN_SECONDS - time.monotonic(), 0))
    for source, _ in sure:
        wait_until(lambda: not w.is_banned(source), f"the end of the ban of {source}")
    return killed


@case("killed before each call that writes, the next watch and the gate go on as if nothing had been")
def _():
    if shutil.which("strace") is None:
        raise Skip("there is no strace")
    w = attacked()
    w.visitors.statuses.clear()
    killed = []
    for number in range(1, LIVES_MOST) if WHOLE else SPREAD:
        try:
            began = time.monotonic()
            killed.append(killed_at(w, number))
            print(f"# before call {number}: {time.monotonic() - began:.0f} s", flush=True)
        except AssertionError as reason:
            raise AssertionError(f"killed before call {number}: {reason}; {w.error.read_text()[-2000:]}") from reason
        if not killed[-1]:
            break
    assert sum(killed) == len(SPREAD) or WHOLE and sum(killed) > len(SPREAD), killed
    print(f"# {sum(killed)} lives")
    good = sum(s == 200 for s in w.visitors.statuses)
    assert 403 not in w.visitors.statuses and good >= 0.99 * len(w.visitors.statuses), w.visitors.statuses


@case("a disk that is full is told, the gate has what it had, and all is written once there is room")
def _():
    w = attacked()
    if not w.has_disk:
        raise Skip("no file system of our own may be mounted")
    fill = w.bans / "fill"

    def ordered_when_full(*words):
        """Files that are replaced give room for once, at any time."""
        with contextlib.suppress(OSError), open(fill, "ab", buffering=0) as f:
            while f.write(b"x" * 4096) == 4096:
                pass
        return w.guia(*words)
    wait_until(lambda: ordered_when_full("ban", "127.9.250.1", "--for", "1s")[0] != 0, "a full disk")
    code, _, error = ordered_when_full("ban", "127.9.251.1", "--for", "60s")
    assert code != 0 and "written" in error, (code, error)
    assert not w.is_banned("127.9.251.1")
    code, _, error = ordered_when_full("mode", "a.test", "guarded", "--for", "60s")
    assert code != 0 and "written" in error, (code, error)
    wait_until(w.in_force, "what was in force", seen=w.site)
    w.goes_on()
    wait_until(lambda: "No space left" in w.error.read_text(), "it is told")
    w.kill()
    w.start()  # it may be unable to begin: it says so, and is started again
    w.child.poll()
    wait_until(lambda: w.child.poll() is not None or w.in_force(), "an end or an answer")
    assert w.child.poll() in (None, 3), w.child.poll()
    w.goes_on()
    fill.unlink()
    w.kill()
    w.start()
    is_back(w)
    wait_while_it_lasts(lambda seconds: w.ordered("127.9.251.1", seconds), lambda: w.is_banned("127.9.251.1"), "the ban")
    wait_until(lambda: not w.is_banned("127.9.251.1"), "its end")


@case("a wall clock that jumps by years ends no rule and no ban, and makes none last")
def _():
    w = attacked()
    w.kill()
    offset = w.gate.folder / "offset"
    offset.write_text("0")
    w.start("env", f"LD_PRELOAD={CLOCK}", f"GUIA_CLOCK={offset}")
    is_back(w)
    for number, seconds in enumerate((3600, -3600, 366 * 86400, -20 * 366 * 86400, 0)):
        source = f"127.9.252.{number + 1}"
        ordered = time.monotonic()
        assert w.guia("ban", source, "--for", "8s")[0] == 0
        (w.gate.folder / "new").write_text(str(seconds))
        (w.gate.folder / "new").rename(offset)
        w.gate.looked()
        wait_until(lambda: w.is_banned(source) or time.monotonic() > ordered + 8, f"the ban after a jump of {seconds} s")
        wait_until(lambda: not w.is_banned(source), f"its end after a jump of {seconds} s")
        assert time.monotonic() >= ordered + 8, f"it ended early after a jump of {seconds} s"
        is_back(w)
    w.kill()
    assert "clock-step" in evidence_is_whole(w)
    w.start()
    is_back(w)


@case("with no watch any more all that was asked is withdrawn, and refusals end")
def _():
    w = attacked()
    w.visitors.end()
    w.attackers.end()
    wait_until(lambda: w.service.ask("status")["held"], "the watch holds rules")
    w.goes_on()
    w.kill()
    wait_until(lambda: not w.table.routes, "the operator's table is empty")
    wait_until(lambda: ask(w.port, next(w.fresh), TOOL, 1) == 200, "an answer")
    w.table.stop()
    w.origin.stop()
    w.gate.close()


main()
