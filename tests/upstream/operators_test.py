"""`operators:` of the configuration: what is wrong is refused with its place, and what ExaBGP is started with. TAP.

Usage: operators_test.py GUIA
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import peers  # pylint: disable=wrong-import-position
import tap  # pylint: disable=wrong-import-position
from waiting import wait_until  # pylint: disable=wrong-import-position

GUIA = pathlib.Path(sys.argv[1]).resolve()
ROOT = pathlib.Path(__file__).resolve().parents[2]
TEMP = tempfile.TemporaryDirectory(prefix="guia-operators-")
FOLDER = pathlib.Path(TEMP.name)
CASES = []
NOBODY = 65534
ONE = type("One", (), {"name": "one", "address": "127.1.0.2", "port": 1790, "peer_as": 65010})
SITES = "sites: [{host: a.test, origin: 'http://127.0.0.1:9'}]\n"
LEAST = {"name": "one", "peer": "203.0.113.1", "peer_as": "65010", "local_address": "192.0.2.1", "local_as": "65020",
         "prefixes": "[192.0.2.0/24, '2001:db8::/32']"}


def case(function):
    CASES.append(function)
    return function


def operators(*changes):
    """A list with an operator for each of the changes to the least there can be; None leaves a key out."""
    items = []
    for change in changes:
        keys = {key: value for key, value in {**LEAST, **change}.items() if value is not None}
        items.append("  - " + "\n    ".join(f"{key}: {value}" for key, value in keys.items()) + "\n")
    return "operators:\n" + "".join(items)


def configure(text, code=0):
    (FOLDER / "guia.yaml").write_text(text)
    done = subprocess.run([GUIA, "upstream", "configure", "-c", FOLDER / "guia.yaml", "--upstream-dir", FOLDER / "keeper"], capture_output=True,
                          text=True, check=False, timeout=300)
    assert done.returncode == code, (text, done.returncode, done.stderr)
    return done.stderr if code else (FOLDER / "keeper" / "exabgp.conf").read_text()


@case
def what_is_wrong_is_told():
    cases = [({"name": None}, "needs `name`"), ({"peer": None}, "needs `peer`"), ({"prefixes": None}, "needs `prefixes`"),
             ({"peer_as": None}, "needs `peer_as`"), ({"name": "two words"}, "`name` must be"), ({"name": "x" * 40}, "`name` must be"),
             ({"peer": "203.0.113.0/24"}, "`peer` must be an address"), ({"peer": "host.test"}, "`peer` must be an address"),
             ({"peer": "192.0.2.1"}, "two addresses of one family"), ({"peer": "'2001:db8::1'"}, "two addresses of one family"),
             ({"peer": "'2001:db8::1'", "local_address": "'2001:db8::2'"}, "needs a `router_id`"),
             ({"peer_as": "0"}, "number from 1 to 4294967295"), ({"peer_as": "4294967296"}, "number from 1"), ({"peer_as": "'1'"}, "number from 1"),
             ({"prefixes": "[]"}, "a prefix, or a list"), ({"prefixes": "192.0.2.1/24"}, "no bits set"), ({"prefixes": "[0.0.0.0/0]"}, "no wider than /8"),
             ({"prefixes": "'2000::/3'"}, "no wider than /8, of IPv6 than /16"), ({"prefixes": "{a: b}"}, "a prefix, or a list"),
             ({"protected": "[x]"}, "`protected` must be"), ({"services": "[http]"}, "such as tcp/443"), ({"services": "tcp/0"}, "such as tcp/443"),
             ({"services": "tcp/65536"}, "such as tcp/443"), ({"services": "[]"}, "such as tcp/443"), ({"takes": "[dots]"}, "flowspec, blackhole"),
             ({"takes": "[]"}, "flowspec, blackhole"), ({"next_hop": "[192.0.2.1, 192.0.2.2]"}, "an address of each family"),
             ({"rules": "0"}, "number from 1 to 4096"), ({"rules": "5000"}, "number from 1 to 4096"), ({"changes_per_minute": "0"}, "number from 1"),
             ({"lifetime_minutes": "1441"}, "number from 1 to 1440"), ({"flow_ipv4_bits": "33"}, "number from 8 to 32"),
             ({"blackhole_ipv6_bits": "8"}, "number from 16 to 128"), ({"needs_yes": "nothing"}, "blackhole, or everything"),
             ({"peer_port": "65536"}, "number from 1 to 65535"), ({"password_file": "'a b'"}, "`password_file` must be"),
             ({"pears": "1"}, "unknown key `pears`")]
    for change, part in cases:
        said = configure(SITES + operators(change), code=2)
        assert part in said and re.search(r"guia.yaml:\d+:\d+: error", said), (change, said)
    for text, part in (("operators: []\n", "must be a list"), ("operators: {a: b}\n", "must be a list"), ("operators: [a]\n", "must be a map"),
                       (operators({}, {}), "two operators"), (operators({}, {"name": "two"}), "two operators"),
                       (operators({}) + "addresses: [192.0.3.1]\n", "in no operator's `prefixes`"), (operators({}) + "addresses: [x]\n", "an address such as"),
                       (operators({}) + "link_mbit: 0\n", "number from 1"), (operators({}) + "link_interface: a/b\n", "name of a network interface"),
                       ("", "has no `operators`")):
        said = configure(SITES + text, code=2)
        assert part in said, (text, said)


@case
def passwords_are_read_and_wrong_ones_refused():
    (FOLDER / "word").write_text("s3cret\n")
    text = configure(SITES + operators({"password_file": "word"}))
    assert "md5-password 's3cret';" in text and (FOLDER / "keeper" / "exabgp.conf").stat().st_mode & 0o777 == 0o600
    for word in ("", "two words", "quo'te", "semi;colon", "x" * 81, "a\nb"):
        (FOLDER / "word").write_text(word)
        assert "should hold a password" in configure(SITES + operators({"password_file": "word"}), code=2), word
    assert "No such file" in configure(SITES + operators({"password_file": "absent"}), code=2)


@case
def exabgp_is_told_what_was_agreed():
    text = configure(SITES + operators({"takes": "flowspec"}, {"name": "two", "peer": "203.0.113.2", "takes": "blackhole", "peer_port": "1790"}))
    first, second = text.split("neighbor 203.0.113.2 {")
    assert "ipv4 flow;" in first and "ipv4 unicast;" not in first and "connect" not in first, first
    assert "ipv4 flow;" not in second and "ipv4 unicast;" in second and "connect 1790;" in second, second
    assert text.count("graceful-restart disable;") == 2 and f"run {GUIA} upstream keep -c {FOLDER}/guia.yaml" in text, text


@case
def the_page_for_engineers_holds():
    """Its configuration is read as it stands there."""
    page = (ROOT / "docs/operators.md").read_text()
    block = page.split("## The agreement")[1].split("\n\n")[1]
    (FOLDER / "ctm.password").write_text("word\n")
    text = configure(SITES + "\n".join(line[4:] for line in block.splitlines()) + "\n")
    assert "neighbor 203.0.113.1 {" in text and "md5-password 'word';" in text, text


@case
def what_is_configured_is_given_to_who_exabgp_is_to_run_as():
    (FOLDER / "guia.yaml").write_text(SITES + operators({}))
    words = [GUIA, "upstream", "configure", "-c", FOLDER / "guia.yaml", "--upstream-dir", FOLDER / "others", "--user"]
    done = subprocess.run([*words, "no-such-user"], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 2 and "there is no such user" in done.stderr, done
    if os.geteuid() != 0:
        raise tap.Skip("needs root")
    (FOLDER / "others").mkdir()
    (FOLDER / "others" / "journal").write_text("")  # of a keeper that was root's
    (FOLDER / "roots").write_text("")
    (FOLDER / "others" / "lock").hardlink_to(FOLDER / "roots")
    for _ in range(2):  # again, too
        done = subprocess.run([*words, "nobody"], capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0 and done.stdout == f"{FOLDER}/others/exabgp.conf\n", done
        for path in (FOLDER / "others", FOLDER / "others" / "exabgp.conf", FOLDER / "others" / "journal"):
            assert path.stat().st_uid == NOBODY and path.stat().st_mode & 0o022 == 0, path
    assert (FOLDER / "roots").stat().st_uid == 0, "another's file by a link"
    (FOLDER / "guia.yaml").chmod(0o600)
    done = subprocess.run([*words, "nobody"], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0 and "nobody may not read it" in done.stderr, done
    (FOLDER / "guia.yaml").chmod(0o644)
    (FOLDER / "others").chmod(0o770)
    done = subprocess.run([*words, "nobody"], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 2 and "nobody else may write to" in done.stderr, done


@case
def a_watch_whom_the_keeper_does_not_answer_says_so():
    if os.geteuid() != 0:
        raise tap.Skip("needs root")
    FOLDER.chmod(0o755)
    service, table, run_dir = peers.Service(GUIA, FOLDER, [ONE]), peers.Table(), FOLDER / "run"
    (FOLDER / "keeper").mkdir(mode=0o750, exist_ok=True)
    table.start(service)
    wait_until(lambda: service.ask("status", patient=False), "the keeper answers")
    for name in ("run", "run/events", "run/bans"):
        (FOLDER / name).mkdir(mode=0o755)
    for name in ("events", "bans"):
        os.chown(run_dir / name, NOBODY, NOBODY)
    words = [GUIA, "watch", "--run-dir", run_dir, "--events", run_dir / "events", "--bans", run_dir / "bans", "--upstream", service.directory]

    def status():
        done = subprocess.run([GUIA, "status", "--run-dir", run_dir, "--json"], capture_output=True, text=True, check=False, timeout=300)
        return json.loads(done.stdout) if done.returncode in (0, 1) else {}
    for folder_mode, socket_mode in ((0o750, 0o660), (0o755, 0o666)):  # not to be reached; reached, and closed unanswered
        os.chmod(service.directory, folder_mode)
        os.chmod(service.directory / "keeper", socket_mode)
        with subprocess.Popen([*words, "--user", "nobody"], stderr=subprocess.PIPE, text=True) as watch:
            keeper = wait_until(lambda: status().get("keeper"), "it is told", seen=status)
            assert "does not answer nobody, who the watch runs as" in keeper["fault"] and keeper["socket"] == f"{service.directory}/keeper", keeper
            done = subprocess.run([GUIA, "status", "--run-dir", run_dir], capture_output=True, text=True, check=False, timeout=300)
            assert f"operators: {service.directory}/keeper: the keeper does not answer nobody" in done.stdout, done
            watch.terminate()
            said = watch.communicate()[1]
        assert said.count("the keeper does not answer nobody") == 1 and "the keeper answers" not in said, said
    for path in run_dir.rglob("*"):
        os.chown(path, 0, 0)
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as watch:
        wait_until(lambda: service.ask("status")["held"], "the watch holds rules")
        assert "keeper" not in status(), status()
        watch.terminate()
    table.stop()


@case
def a_silent_watch_is_told_while_its_rules_are_there():
    """When it is, says src/upstream/keeper_answer_test.c."""
    service, table = peers.Service(GUIA, FOLDER, [ONE]), peers.Table()
    shutil.rmtree(service.directory, ignore_errors=True)
    service.directory.mkdir(mode=0o750)
    table.up = [ONE.address]
    table.start(service)
    said = lambda: service.command(code=None)
    wait_until(service.up, "the session is up", seen=said)
    assert "no watch holds rules: none is announced\n" in service.command(code=1)
    well = wait_until(lambda: service.ask("hold") and service.well(), "all is well", seen=said)
    assert re.search(r"^a watch holds rules, heard \d s ago$", well, re.M), well
    for _ in range(5):  # where all is withdrawn before a slow machine looks at it, it is done again
        service.ask("hold")
        told = wait_until(lambda: re.search("(THE WATCH IS SILENT|no watch holds rules),.* heard .*", said()), "it is silent", seen=said).group()
        asked = service.command("ask", "192.0.2.10", "--protocol", "udp", code=None)
        if "THE WATCH IS SILENT" in asked:
            break
    else:
        raise tap.Skip("this machine is too slow to tell")
    assert re.fullmatch(r"THE WATCH IS SILENT, heard \d+ s ago: unless it comes back, all rules are withdrawn at \d\d:\d\d:\d\d UTC, in \d+ s", told), told
    service.command(code=1)
    table.stop()


@case
def a_session_that_carries_no_rules_is_as_good_as_none():
    """Whatever else ExaBGP says of it, and as long as it does not say."""
    service, table, run_dir = peers.Service(GUIA, FOLDER, [ONE]), peers.Table(), FOLDER / "unfit"
    shutil.rmtree(service.directory, ignore_errors=True)
    service.directory.mkdir(mode=0o750)
    families = list(table.families)
    table.up, table.families = [ONE.address], dict.fromkeys(families, "n/a")
    table.noise = (f"Neighbor {'x' * 40000}\nNeighbor {ONE.address} {'y' * 20000}\n   ipv4 flow\n   ipv4 flow: disabled\n   ipv6 flow:  enabled\n"
                   "Neighbor 192.0.2.99\n   ipv4 flow: enabled disabled\n" + "   ipv4 mup: enabled disabled disabled\n" * 500)
    table.start(service)
    said, seen = lambda: service.command(code=None), lambda: service.ask("status")["operators"][0]["families"]
    wait_until(service.up, "the session is up", seen=said)
    words = ["--run-dir", run_dir, "--bans", FOLDER / "unfit-bans", "--upstream", service.directory, "--link-mbit", "1000", "--link-interface", "lo"]
    with subprocess.Popen([GUIA, "watch", *words], stderr=subprocess.DEVNULL) as watch:
        wait_until(lambda: service.ask("status")["held"], "the watch holds rules")
        service.command("ask", "192.0.2.10", "--protocol", "udp")
        wait_until(service.well, "nothing is claimed", seen=said)
        assert seen() == dict.fromkeys(families) and "(announced, ends in" in wait_until(service.well, "all is well", seen=said), said()
        table.families = dict.fromkeys(families, "disabled")
        wait_until(lambda: seen() == dict.fromkeys(families, False), "it is known", seen=seen)
        told = service.command(code=1)
        assert "session up" in told and "; ITS ROUTER TAKES NO ipv4 unicast, ipv6 unicast, ipv4 flow, ipv6 flow\n" in told, told
        assert "(NOT SENT: the router takes no such rules, ends in" in told and "announced" not in told, told
        told = service.command("plan", "192.0.2.11", "--protocol", "udp")
        assert "passes, but is not sent: the router takes no ipv4 flow" in told, told
        status = lambda: subprocess.run([GUIA, "status", "--run-dir", run_dir], capture_output=True, text=True, check=False, timeout=300).stdout
        wait_until(lambda: "; 0 of 1 operators' sessions up, 1 MORE BUT WITH A ROUTER THAT TAKES NO RULES, 1 rules asked of them" in status(), "so says the watch",
                   seen=status)
        watch.terminate()
    table.stop()


@case
def without_a_keeper_a_plan_is_judged_by_the_configuration():
    (FOLDER / "guia.yaml").write_text(f"upstream_dir: {FOLDER}/none\n" + SITES + operators({"services": "tcp/443", "protected": "192.0.2.53"}))
    for words, code, part in ((("192.0.2.10", "--protocol", "udp"), 0, "discard udp to 192.0.2.10"), (("198.51.100.1",), 1, "refused"),
                              (("192.0.2.53", "--protocol", "udp"), 1, "refused"), (("192.0.2.10", "--for", "2h", "--protocol", "udp"), 1, "refused"),
                              (("192.0.2.10",), 1, "Give --yes"), (("192.0.2.10", "--operator", "two"), 2, "no such operator")):
        done = subprocess.run([GUIA, "upstream", "plan", *words, "-c", FOLDER / "guia.yaml"], capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == code and part in done.stdout + done.stderr, (words, done)
        assert "judged by" in done.stderr, done
    done = subprocess.run([GUIA, "upstream", "ask", "192.0.2.10", "-c", FOLDER / "guia.yaml"], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 3 and "no keeper answers there" in done.stderr, done


@case
def wrong_words_are_told():
    for words, part in ((("nonsense",), "there are plan, ask"), (("ask",), "ask DESTINATION"), (("withdraw",), "withdraw ID|all"),
                        (("withdraw", "x"), "the number"), (("ask", "x"), "not an address"), (("ask", "192.0.2.1/24"), "it is in 192.0.2.0/24"),
                        (("ask", "192.0.2.1", "--from", "x"), "--from x"), (("ask", "192.0.2.1", "--from", "2001:db8::/32"), "destination's family"),
                        (("ask", "192.0.2.1", "--protocol", "x"), "--protocol x"), (("ask", "192.0.2.1", "--port", "1-"), "--port 1-"),
                        (("ask", "192.0.2.1", "--port", "2-1"), "--port 2-1"), (("ask", "192.0.2.1", "--port", "65536"), "--port 65536"),
                        (("ask", "192.0.2.1", "--port", "1,,2"), "--port 1,,2"), (("ask", "192.0.2.1", "--port", ""), "--port"),
                        (("ask", "192.0.2.1", "--rate", "0"), "--rate 0"), (("ask", "192.0.2.1", "--for", "x"), "--for x"),
                        (("ask", "192.0.2.1", "--why", "a\tb"), "one line"), (("ask", "192.0.2.1", "--blackhole", "--port", "1"), "has no place"),
                        (("ask", "192.0.2.1", "--operator", "a b"), "a name"), (("plan", "--protocol", "udp"), "to which destination"),
                        (("plan", "--blackhole"), "to which destination"), (("ask", "192.0.2.1", "--length", "x"), "bytes of whole packets"),
                        (("configure",), "give -c FILE"), (("keep",), "give -c FILE")):
        done = subprocess.run([GUIA, "upstream", *words], capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 2 and part in done.stderr, (words, done.returncode, done.stderr)
    done = subprocess.run([GUIA, "upstream", "--upstream-dir", "/nowhere"], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 3 and "no keeper answers there" in done.stderr, done.stderr


def main():
    return 1 if tap.run([(tap.title(function), function) for function in CASES]) else 0


if __name__ == "__main__":
    sys.exit(main())
