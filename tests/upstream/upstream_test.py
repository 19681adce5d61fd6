"""What is asked of operators, seen in the tables of real routers: GoBGP's and BIRD's. TAP.

Usage: upstream_test.py GUIA
"""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

import peers
import processes
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "evidence"))
import records  # pylint: disable=wrong-import-position
from waiting import wait_while_it_lasts

GUIA = pathlib.Path(sys.argv[1]).resolve()
CASES = []
BLACKHOLE = (65535 << 16) + 666
LEASE_SECONDS = 18  # so long after it was held a rule surely stays: src/upstream/lease.h, and what a watch takes between two holds
UDP = ("192.0.2.10", "--protocol", "udp")
UDP_GOBGP, UDP_BIRD = "[destination: 192.0.2.10/32][protocol: ==udp]", "flow4 { dst 192.0.2.10/32; proto 17; }"


def case(function):
    CASES.append(function)
    return function


class Scene:
    """Both routers and the service, up."""

    def __init__(self, folder):
        (folder / "gobgp").mkdir()
        (folder / "bird").mkdir()
        self.gobgp = peers.GoBGP(folder / "gobgp")
        self.bird = peers.Bird(folder / "bird")
        self.service = peers.Service(GUIA, folder, [self.gobgp, self.bird])

    def start(self):
        self.gobgp.start()
        self.bird.start()
        self.service.start()
        self.service.hold()
        peers.wait_until(self.service.up, "both sessions are up", seen=self.service.exabgp.log)

    def ready(self):
        """As every case finds it, whatever became of the one before: all run, a watch holds rules, and nothing is asked."""
        for one in (self.gobgp, self.bird, self.service.exabgp):
            if not one.runs():
                (self.service if one is self.service.exabgp else one).start()
        if self.service.watch_words or not self.service.watch.runs():
            self.service.let_go()
            self.service.watch_words = []
            self.service.hold()
        peers.wait_until(lambda: self.service.ask("end all") and not self.service.ask("status")["rules"], "nothing is asked")
        peers.wait_until(self.service.up, "both sessions are up", seen=self.service.exabgp.log)
        peers.wait_until(self.nothing_there, "both tables are empty")

    def nothing_there(self):
        return not any(self.gobgp.flows(family) or self.gobgp.routes(family) for family in ("ipv4", "ipv6")) and not any(
            self.bird.flows(table) for table in ("flows4", "flows6"))

    def stop(self):
        self.service.stop()
        self.gobgp.stop()
        self.bird.stop()

    def plan(self):
        return self.service.command("plan", "--json", "--run-dir", str(self.service.folder / "run"))

    def both(self, there, gobgp=UDP_GOBGP, bird=UDP_BIRD):
        peers.wait_until(lambda: (gobgp in self.gobgp.flows()) == there, f"{gobgp}: {there}", seen=self.gobgp.flows)
        peers.wait_until(lambda: (bird in self.bird.flows()) == there, f"{bird}: {there}", seen=self.bird.flows)

    def taken(self):
        """-> the reason of the rules that ExaBGP took, of both operators; False: it did not take both, or they end"""
        rules = self.service.ask("status")["rules"]
        return len(rules) == 2 and all(rule["taken"] and rule["state"] == "announced" for rule in rules) and rules[0]["why"]

    def lapses(self, *words, why):
        """Asks for what ends by itself, after ExaBGP took it. -> the reason it was asked with"""
        def ask(seconds):
            peers.wait_until(lambda: not self.service.ask("status")["rules"], "the end of what was asked before")
            self.service.command("ask", *words, "--for", f"{seconds}s", "--why", f"{why}, {seconds} s")
        return wait_while_it_lasts(ask, self.taken, "that ExaBGP took it")

    def they_keep_it(self):
        assert UDP_GOBGP in self.gobgp.flows() and UDP_BIRD in self.bird.flows(), (self.gobgp.flows(), self.bird.flows())


@case
def a_rule_is_in_both_tables_until_it_is_withdrawn(s):
    said = s.service.command("plan", *UDP)
    assert "discard udp to 192.0.2.10" in said and said.count("passes") == 2, said
    assert s.gobgp.flows() == {} and s.bird.flows() == {}
    said = s.service.command("ask", *UDP, "--why", "a flood")
    assert said.count("announced: rule") == 2, said
    s.both(True)
    assert s.gobgp.flows()[UDP_GOBGP] == [0]
    peers.wait_until(lambda: all(rule["taken"] for rule in s.service.ask("status")["rules"]), "ExaBGP says so")
    said = peers.wait_until(s.service.well, "all is well", seen=lambda: s.service.command(code=None))
    assert "a watch holds rules, heard" in said and said.count("a flood") == 2 and "session up" in said and "2000 rules" in said, said
    s.service.command("withdraw", str(s.service.ask("status")["rules"][0]["id"]))
    peers.wait_until(lambda: s.gobgp.flows() == {}, "withdrawn from one")
    assert UDP_BIRD in s.bird.flows()
    s.service.command("withdraw", "all")
    s.both(False)
    assert s.service.ask("status")["rules"] == []


@case
def all_that_can_be_matched_arrives(s):
    s.service.command("ask", "192.0.2.0/28", "--from", "198.51.100.0/24", "--protocol", "tcp,udp", "--port", "53,1000-2000", "--from-port", "123",
                      "--length", "1000-1500", "--fragments", "--rate", "125000")
    s.service.command("ask", "2001:db8::10", "--from", "2001:db9::/48", "--protocol", "udp", "--port", "53")
    gobgp = ("[destination: 192.0.2.0/28][source: 198.51.100.0/24][protocol: ==tcp ==udp][destination-port: ==53 >=1000&<=2000]"
             "[source-port: ==123][packet-length: >=1000&<=1500][fragment: is-fragment+first-fragment]")
    bird = ("flow4 { dst 192.0.2.0/28; src 198.51.100.0/24; proto 6,17; dport 53,1000..2000; sport 123; length 1000..1500; "
            "fragment is_fragment || first_fragment; }")
    peers.wait_until(lambda: len(s.gobgp.flows()) == 1 and len(s.bird.flows()) == 1, "both have it")
    assert list(s.gobgp.flows()) == [gobgp] and s.gobgp.flows()[gobgp] == [125000], s.gobgp.flows()
    peers.wait_until(lambda: len(s.gobgp.flows("ipv6")) == 1 and len(s.bird.flows("flows6")) == 1, "of IPv6 too")
    assert "2001:db8::10/128" in list(s.gobgp.flows("ipv6"))[0] and "dst 2001:db8::10/128" in list(s.bird.flows("flows6"))[0]
    assert "192.0.2.0/28" in list(s.bird.flows())[0] and "length 1000..1500" in list(s.bird.flows())[0], (bird, s.bird.flows())
    s.service.command("withdraw", "all")
    peers.wait_until(lambda: s.gobgp.flows() == {} == s.gobgp.flows("ipv6") and s.bird.flows() == {} == s.bird.flows("flows6"), "all gone")


@case
def what_takes_visitors_away_needs_a_yes(s):
    for words in (("192.0.2.10", "--blackhole"), ("192.0.2.10",), ("192.0.2.10", "--protocol", "tcp", "--port", "443")):
        said = s.service.command("ask", *words, code=1)
        assert said.count("for a person to agree to") == 2 and "--yes" in said, said
    assert s.service.ask("status")["rules"] == [] and s.gobgp.routes() == {}
    s.service.command("ask", "192.0.2.10", "--blackhole", "--yes")
    s.service.command("ask", "2001:db8::10", "--blackhole", "--yes")
    peers.wait_until(lambda: s.gobgp.routes() == {"192.0.2.10/32": [BLACKHOLE]}, "GoBGP blackholes it")
    peers.wait_until(lambda: s.gobgp.routes("ipv6") == {"2001:db8::10/128": [BLACKHOLE]}, "IPv6 too")
    peers.wait_until(lambda: "192.0.2.10/32" in s.bird.routes() and "(65535,666)" in s.bird.routes(), "BIRD too")
    peers.wait_until(lambda: "2001:db8::10/128" in s.bird.routes("master6"), "and of IPv6")
    s.service.command("withdraw", "all")
    peers.wait_until(lambda: s.gobgp.routes() == {} and "192.0.2.10/32" not in s.bird.routes(), "and no more")


@case
def what_was_not_agreed_is_refused_whoever_asks(s):
    for words, why in ((("192.0.3.10", "--protocol", "udp"), "not ours"), (("192.0.2.53", "--protocol", "udp"), "protected"),
                       (("127.1.0.1", "--protocol", "udp"), "not ours"), (("192.0.2.10", "--from", "127.1.0.0/16"), "protected"),
                       (("192.0.2.128/25", "--blackhole"), "wider"), (("2001:db8::/33", "--protocol", "udp"), "wider"),
                       (("192.0.2.10", "--protocol", "udp", "--for", "2h"), "lifetime_minutes")):
        said = s.service.command("ask", *words, "--yes", code=1)
        assert said.count(why) == 2, (words, said)
    said = s.service.command("ask", *UDP, "--operator", "nobody", code=2)
    assert "no such operator: nobody" in said, said
    for question in ("ask * 10 - x", "ask * 10 yes x\tflow route { match { destination 192.0.2.10/32; } then { accept; } }", "ask * x - \tx",
                     "end x", "end 999999", "lift 7", "", "nonsense", "ask " + "x" * 3000):
        assert "fault" in s.service.ask(question), question
    assert s.service.ask("status")["rules"] == []


@case
def a_rule_ends_by_itself(s):
    wait_while_it_lasts(lambda seconds: s.service.command("ask", *UDP, "--for", f"{seconds}s"),
                        lambda: UDP_GOBGP in s.gobgp.flows() and UDP_BIRD in s.bird.flows(), "it in both tables", (3, 12, 48))
    s.both(False)
    assert s.service.ask("status")["rules"] == []


@case
def what_is_asked_and_what_became_of_it_is_recorded(s):
    """In the watch's evidence, whoever asked: by its number, each once, over a keeper that was killed."""
    s.service.watch.stop(signal.SIGTERM)
    shutil.rmtree(s.service.folder / "bans")
    s.service.hold()
    s.service.command("ask", *UDP, "--why", "a flood at last")
    s.both(True)
    peers.wait_until(s.taken, "ExaBGP took it")
    s.service.command("ask", "192.0.2.10", code=1)
    s.service.command("withdraw", "all")
    before_it = s.lapses("192.0.2.11", "--protocol", "udp", why="for a moment")
    peers.wait_until(lambda: not s.service.ask("status")["rules"], "its end")
    left = lambda: [item["change"] for item in s.service.ask("news 0 0")["news"]]
    peers.wait_until(lambda: not left(), "all is told and known", seen=left)
    before = s.service.keeper()
    os.kill(before, signal.SIGKILL)
    peers.wait_until(lambda: s.service.keeper() not in (None, before) and s.service.ask("status", patient=False), "another keeper")
    peers.wait_until(lambda: s.service.ask("status")["held"], "it is held")
    after_it = s.lapses(*UDP, why="once more")
    peers.wait_until(lambda: not s.service.ask("status")["rules"], "its end")
    peers.wait_until(lambda: not left(), "all is told and known", seen=left)
    s.service.watch.stop(signal.SIGTERM)
    told = records.of_kind(records.of_log(s.service.folder / "bans/evidence"), "upstream")
    for name in (s.gobgp.name, s.bird.name):
        of_rule = [leaf for leaf in told if leaf["operator"] == name]
        for why, end in (("a flood at last", "withdrawn"), (before_it, "lapsed"), (after_it, "lapsed")):
            lives = [leaf for leaf in of_rule if leaf.get("why") == why]
            assert [leaf["change"] for leaf in lives] == ["asked", "announced", end, "gone"], (why, of_rule)
            # When it was to end is the same whenever it is told, how late that may be.
            assert all(leaf["until"] > lives[0]["at"] and abs(leaf["until"] - lives[0]["until"]) < 5000 for leaf in lives), lives
        *_, refused = [leaf for leaf in of_rule if leaf["change"] == "refused"]
        assert "for a person to agree to" in refused["answer"] and refused["route"] == "discard to 192.0.2.10" and "rule" not in refused, refused
        assert refused["until"] > refused["at"] - 5000, refused
    assert [leaf["change"] for leaf in told].count("the keeper began") >= 1, told
    assert all(leaf["user"] == os.geteuid() for leaf in told if leaf["operator"]), told


@case
def a_killed_keeper_changes_nothing_at_the_router(s):
    s.service.command("ask", *UDP)
    s.both(True)
    before, log = peers.wait_until(s.service.keeper, "the keeper"), s.gobgp.log()
    os.kill(before, signal.SIGKILL)
    peers.wait_until(lambda: s.service.keeper() not in (None, before), "ExaBGP starts another")
    end = time.monotonic() + 2
    while time.monotonic() < end:
        s.they_keep_it()
    assert s.gobgp.log() == log
    rules = s.service.ask("status")["rules"]
    assert len(rules) == 2 and all(rule["state"] == "announced" for rule in rules), rules
    peers.wait_until(s.service.up, "the next keeper knows of the sessions")
    s.service.command("withdraw", "all")
    s.both(False)


@case
def with_a_journal_that_cannot_be_read_nothing_stays(s):
    s.service.command("ask", *UDP)
    s.both(True)
    before = peers.wait_until(s.service.keeper, "the keeper")
    os.kill(before, signal.SIGSTOP)
    (s.service.directory / "journal").write_text("nonsense\n")
    os.kill(before, signal.SIGKILL)
    s.both(False)
    assert "cannot be read" in s.service.exabgp.log()
    s.service.exabgp.child.wait(60)
    s.service.start()
    peers.wait_until(s.service.up, "both sessions are up again")
    peers.wait_until(lambda: s.service.ask("status")["held"], "the watch has found the next keeper")
    assert s.service.ask("status")["rules"] == []
    s.both(False)


@case
def a_watch_back_within_ten_seconds_changes_nothing(s):
    s.service.command("ask", *UDP)
    s.both(True)
    for _ in range(5):  # where this machine has the next watch hold rules only after their lease, it is done again
        began = time.monotonic()
        s.service.let_go()
        while time.monotonic() < began + 8:
            try:
                s.they_keep_it()
            except AssertionError:
                assert time.monotonic() > began + LEASE_SECONDS, "they were let go before the end of their lease"
            time.sleep(0.2)
        s.service.hold()
        if time.monotonic() < began + LEASE_SECONDS:
            return s.they_keep_it()
        s.service.command("ask", *UDP)
        s.both(True)
    return "# SKIP this machine is too slow to tell"


@case
def without_a_watch_all_is_gone_by_itself(s):
    """In 25 s, says src/upstream/lease_book_test.c."""
    s.service.command("ask", *UDP)
    s.both(True)
    s.service.let_go()
    s.both(False)
    said = s.service.command("ask", *UDP, code=1)
    assert "no watch" in said, said
    assert "no watch holds rules" in s.service.command(code=1)


@case
def an_operator_that_comes_back_has_the_rules_again(s):
    s.service.command("ask", *UDP, "--why", "a flood")
    s.both(True)
    peers.wait_until(s.taken, "ExaBGP took it")
    s.gobgp.stop(signal.SIGKILL)
    peers.wait_until(lambda: not s.service.up(), "the session is down")
    said = s.service.command(code=1)
    assert "session DOWN" in said and "fell 1 times" in said, said
    assert said.count("(waiting for the session, ends in") == 1 and said.count("(announced, ends in") == 1, said
    said = s.service.command("ask", *UDP)
    assert said.count("waits for the session, which is DOWN: rule") == 1 and said.count("announced: rule") == 1, said
    assert UDP_BIRD in s.bird.flows()
    s.gobgp.start()
    s.both(True)
    peers.wait_until(s.service.up, "up again")
    said = lambda: s.service.command(code=None)
    peers.wait_until(lambda: said().count("(announced, ends in") == said().count("a flood") == 2, "both rules are announced", seen=said)
    s.service.command("withdraw", "all")
    s.both(False)


@case
def when_exabgp_is_killed_everything_is_gone_and_comes_back_with_it(s):
    s.service.command("ask", *UDP)
    s.both(True)
    keeper = peers.wait_until(s.service.keeper, "the keeper")
    s.service.exabgp.stop(signal.SIGKILL)
    s.both(False)
    peers.wait_until(lambda: not processes.is_alive(keeper), "the keeper ends with it")
    s.service.start()
    s.both(True)
    s.service.command("withdraw", "all")
    s.both(False)


@contextlib.contextmanager
def stopped(one):
    """A process that does nothing for a while: who waits for it waits."""
    one.child.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        one.child.send_signal(signal.SIGCONT)


SLOW_SECONDS = 5


def commands_meanwhile(s, one, *commands):
    """Each is answered before the process that is stopped goes on. -> what they said"""
    with stopped(one):
        said = [s.service.command(*words) for words in commands]
        time.sleep(SLOW_SECONDS)
        return said + [s.service.command("--json", code=None)]


@case
def while_exabgp_is_slow_nobody_waits_for_it(s):
    """What was asked of it meanwhile is done once it goes on, and of what ended meanwhile nothing is left."""
    keeper = s.service.keeper()
    said = commands_meanwhile(s, s.service.exabgp, ("ask", *UDP, "--why", "slow"), ("ask", "192.0.2.11", "--protocol", "udp"))
    rules = json.loads(said[-1])["rules"]
    assert len(rules) == 4 and not any(rule["taken"] for rule in rules), rules
    s.both(True)
    peers.wait_until(lambda: all(rule["taken"] for rule in s.service.ask("status")["rules"]), "ExaBGP says so")
    commands_meanwhile(s, s.service.exabgp, ("withdraw", "all"))
    s.both(False)
    commands_meanwhile(s, s.service.exabgp, ("ask", *UDP), ("withdraw", "all"))
    peers.wait_until(lambda: s.service.ask("status")["rules"] == [], "all has ended")
    peers.wait_until(s.nothing_there, "both tables are empty")
    assert s.service.keeper() == keeper, "the keeper ended"


@case
def while_a_router_is_slow_the_other_is_asked(s):
    with stopped(s.gobgp):
        s.service.command("ask", *UDP)
        peers.wait_until(lambda: UDP_BIRD in s.bird.flows(), "the one that is not slow", seen=s.bird.flows)
        time.sleep(SLOW_SECONDS)
    s.both(True)
    with stopped(s.gobgp):
        s.service.command("withdraw", "all")
        peers.wait_until(lambda: UDP_BIRD not in s.bird.flows(), "the one that is not slow", seen=s.bird.flows)
    s.both(False)


def pour(mbit, ends):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        began, sent = time.monotonic(), 0
        while not ends.wait(0.005):
            while sent < (time.monotonic() - began) * mbit * 1e6 / 8:
                try:
                    out.sendto(b"x" * 12000, ("127.0.0.1", 9))
                except ConnectionRefusedError:
                    pass
                sent += 12042


@contextlib.contextmanager
def pouring(mbit):
    """UDP to a port of loopback that nobody listens at, at a pace, for as long as the block runs."""
    ends = threading.Event()
    thread = threading.Thread(target=pour, args=(mbit, ends), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ends.set()
        thread.join()


@case
def when_the_link_is_full_banned_sources_are_asked_for(s):
    if not s.own_network:
        return "# SKIP needs a network of its own"
    s.service.let_go()
    s.service.watch_words = ["--link-mbit", "8", "--link-interface", "lo", "--address", "192.0.2.10", "--address", "2001:db8::10"]
    s.service.hold()
    guia = [str(GUIA), "ban", "198.51.100.7", "--run-dir", str(s.service.folder / "run"), "--why", "floods"]
    subprocess.run(guia, check=True, stdout=subprocess.DEVNULL, timeout=300)
    said = s.service.command("plan", "--run-dir", str(s.service.folder / "run"))
    assert "the link is not full" in said and "discard from 198.51.100.7 to 192.0.2.10" in said and said.count("passes") == 2, said
    assert "the watch has no edge" in said and s.gobgp.flows() == {}
    banned = "[destination: 192.0.2.10/32][source: 198.51.100.7/32]"
    with pouring(12):
        s.both(True, banned, "flow4 { dst 192.0.2.10/32; src 198.51.100.7/32; }")
    assert "the link is full" in s.service.watch.log(), s.service.watch.log()
    before = s.service.ask("status")["rules"]
    assert [rule["why"] for rule in before] == ["link full: a banned source"] * 2, before
    # Killed in mid-attack and back: its own rules are its own again.
    for _ in range(5):  # where this machine has the next watch hold rules only after their lease, it is done again
        began = time.monotonic()
        s.service.let_go()
        time.sleep(2)
        s.service.hold()
        in_time = time.monotonic() < began + LEASE_SECONDS
        peers.wait_until(lambda: json.loads(s.plan())["keeper"], "the next watch knows what is asked")
        with pouring(12):
            time.sleep(4)
            after = s.service.ask("status")["rules"]
            if in_time:
                break
            s.both(True, banned, "flow4 { dst 192.0.2.10/32; src 198.51.100.7/32; }")
            before = s.service.ask("status")["rules"]
    assert in_time, "this machine was late five times"
    assert [rule["id"] for rule in after] == [rule["id"] for rule in before], (before, after)
    assert banned in s.gobgp.flows()
    # Whom nobody bans any more nobody keeps away, though the link is as full as it was.
    with pouring(12):
        subprocess.run([*guia[:1], "unban", *guia[2:5]], check=True, stdout=subprocess.DEVNULL, timeout=300)
        s.both(False, banned, "flow4 { dst 192.0.2.10/32; src 198.51.100.7/32; }")
    s.service.let_go()
    s.service.watch_words = []
    s.service.hold()
    s.service.command("withdraw", "all")
    s.both(False, banned, "flow4 { dst 192.0.2.10/32; src 198.51.100.7/32; }")
    return None


def an_operator_that_refuses_is_told_of(folder):
    """The router expects another AS of us."""
    (folder / "gobgp").mkdir()
    gobgp = peers.GoBGP(folder / "gobgp", expects_as=peers.OUR_AS + 1)
    service = peers.Service(GUIA, folder, [gobgp])
    try:
        gobgp.start()
        service.start()
        service.hold()
        service.command("ask", *UDP)
        peers.wait_until(lambda: "DOWN" in service.command(code=1) and "notification" in service.command(code=1).lower(), "it is said", seen=lambda: service.command(code=1))
        assert gobgp.flows() == {}
    finally:
        service.stop()
        gobgp.stop()


def a_password_is_used(folder):
    """TCP-MD5 (RFC 2385): with the right one the session comes up."""
    (folder / "bird").mkdir()
    bird = peers.Bird(folder / "bird", password="s3cret-word")
    (folder / "word").write_text("s3cret-word\n")
    service = peers.Service(GUIA, folder, [bird], extra="    password_file: word\n")
    try:
        bird.start()
        service.start()
        peers.wait_until(service.up, "the session is up", seen=service.exabgp.log)
        assert (service.directory / "exabgp.conf").stat().st_mode & 0o77 == 0
        (folder / "word").write_text("two words\n")
        service.command("configure", code=2)
    finally:
        service.stop()
        bird.stop()


def a_router_without_flow_tables_has_no_rules_and_that_is_told(folder):
    """Its session is up, and ExaBGP takes what it then sends to nobody."""
    (folder / "bird").mkdir()
    bird = peers.Bird(folder / "bird", flows=("flow6",))
    service = peers.Service(GUIA, folder, [bird])
    lacking = {"ipv4 unicast": True, "ipv6 unicast": True, "ipv4 flow": False, "ipv6 flow": True}
    families = lambda: service.ask("status")["operators"][0]["families"]
    told = lambda: service.exabgp.log().count("the router of bird did not agree to ipv4 flow: it takes no such rules")
    try:
        bird.start()
        service.start()
        service.hold()
        peers.wait_until(service.up, "the session is up", seen=service.exabgp.log)
        peers.wait_until(lambda: families() == lacking, "what it agreed to is known", seen=families)
        assert told() == 1, service.exabgp.log()
        said = service.command("ask", *UDP, "--why", "a flood")
        assert "NOT SENT, for the router takes no ipv4 flow: rule" in said and "announced" not in said, said
        service.command("ask", "2001:db8::10", "--protocol", "udp")
        peers.wait_until(lambda: all(rule["taken"] for rule in service.ask("status")["rules"]), "ExaBGP took both")
        peers.wait_until(lambda: len(bird.flows("flows6")) == 1, "the other family's is there", seen=lambda: bird.flows("flows6"))
        assert bird.flows() == {}
        said = service.command(code=1)
        assert "ITS ROUTER TAKES NO ipv4 flow\n" in said and said.count("(NOT SENT: the router takes no such rules, ends in") == 1, said
        assert said.count("(announced, ends in") == 1, said
        # Another keeper knows it, too.
        before = service.keeper()
        os.kill(before, signal.SIGKILL)
        peers.wait_until(lambda: service.keeper() not in (None, before) and service.ask("status", patient=False), "another keeper")
        peers.wait_until(lambda: families() == lacking, "it knows, too", seen=families)
        assert told() == 2, service.exabgp.log()
        # A router that has them at last gets what was asked.
        bird.stop()
        (folder / "bird2").mkdir()
        port, bird = bird.port, peers.Bird(folder / "bird2")
        config = folder / "bird2" / "bird.conf"
        config.write_text(config.read_text().replace(f"port {bird.port} ", f"port {port} "))
        bird.start()
        peers.wait_until(lambda: UDP_BIRD in bird.flows(), "it is there", seen=bird.flows)
        peers.wait_until(lambda: families() == dict.fromkeys(lacking, True), "what it agreed to is known", seen=families)
        peers.wait_until(service.well, "all is well", seen=lambda: service.command(code=None))
        assert told() == 2, service.exabgp.log()
    finally:
        service.stop()
        bird.stop()


def run(title, function, number, argument, before=lambda: None):
    try:
        before()
        said = function(argument)
        print(f"ok {number} - {title}{' ' + said if said else ''}", flush=True)
        return 0
    except Exception:  # pylint: disable=broad-except
        print(f"not ok {number} - {title}")
        print("# " + traceback.format_exc().strip().replace("\n", "\n# "), flush=True)
        return 1


def main():
    apart = [an_operator_that_refuses_is_told_of, a_password_is_used, a_router_without_flow_tables_has_no_rules_and_that_is_told]
    if not peers.have():
        print("1..0 # SKIP exabgp, gobgpd or bird2 is not installed")
        return 0
    failed, own_network = 0, peers.alone()
    only = sys.argv[2:]
    print(f"1..{len(CASES) + len(apart)}")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="guia-upstream-"))
    scene = Scene(folder)
    scene.own_network = own_network
    try:
        scene.start()
        for number, function in enumerate(CASES, 1):
            if not only or function.__name__ in only:
                failed += run(function.__name__.replace("_", " "), function, number, scene, scene.ready)
    finally:
        scene.stop()
        if failed:
            print("# " + "\n# ".join(scene.service.exabgp.log().splitlines()[-40:]))
        shutil.rmtree(folder, ignore_errors=True)
    for number, function in enumerate(apart, len(CASES) + 1):
        if only and function.__name__ not in only:
            continue
        folder = pathlib.Path(tempfile.mkdtemp(prefix="guia-upstream-"))
        failed += run(function.__name__.replace("_", " "), function, number, folder)
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
