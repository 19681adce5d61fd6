#!/usr/bin/env python3
"""The commands as a person meets them: exit codes, messages, help, man pages, what comes out. TAP.

Usage: cli_test.py GUIA
"""
import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import tap  # pylint: disable=wrong-import-position

GUIA = pathlib.Path(sys.argv[1]).resolve()
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COMMANDS = ("allow", "ban", "check", "drill", "edge", "evidence", "explain", "incidents", "inspect", "mode", "replay", "report", "screen", "serve", "status", "test", "top", "unban", "upstream", "watch")
TEMP = tempfile.TemporaryDirectory(prefix="guia-cli-")
FOLDER = pathlib.Path(TEMP.name)
CASES = []

RULES = """
SecRuleEngine On
SecRequestBodyAccess On
SecAction "id:1,phase:1,nolog,pass,setvar:tx.inbound_anomaly_score_threshold=5,setvar:tx.anomaly_score_pl1=0"
SecRule ARGS|REQUEST_HEADERS:X-Test "@rx e+vil" "id:942100,phase:2,log,pass,t:none,t:urlDecodeUni,t:lowercase,\\
    msg:'Evil',logdata:'%{MATCHED_VAR}',severity:2,tag:'paranoia-level/1',setvar:'tx.anomaly_score_pl1=+5',chain"
    SecRule REQUEST_METHOD "@streq GET" "t:none"
SecAction "id:2,phase:2,nolog,pass,setvar:tx.anomaly_score=%{tx.anomaly_score_pl1}"
SecRule TX:anomaly_score "@ge %{tx.inbound_anomaly_score_threshold}" "id:949110,phase:2,deny,status:403,log,msg:'Too much'"
"""


def case(function):
    CASES.append(function)
    return function


def write(name, text):
    path = FOLDER / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def request(line, *headers, body=b""):
    head = "\r\n".join((line, "Host: a.test", *headers)) + "\r\n\r\n"
    return head.encode("latin-1") + body


def guia(*words, code=0, stdin=None):
    """Runs it; -> (stdout, stderr)."""
    done = subprocess.run([GUIA, *words], input=stdin, capture_output=True, check=False, timeout=120,
                          env={**os.environ, "XDG_CACHE_HOME": str(FOLDER / "cache")})
    out, err = done.stdout.decode(), done.stderr.decode()
    assert done.returncode == code, f"{words}: exit {done.returncode}, not {code}\n{out}\n{err}"
    return out, err


(FOLDER / "cache").mkdir()
RULE_FILE = write("rules.conf", RULES)
EVIL = write("evil.txt", request("GET /a?q=x%20EEvil HTTP/1.1"))
GOOD = write("good.txt", request("GET /a?q=good HTTP/1.1"))


@case
def wrong_words_are_told_with_what_was_meant():
    cases = [
        (("inspekt",), "did you mean `inspect`"), (("inspect", "--ruls", "x", "y"), "did you mean --rules"),
        (("inspect",), "needs"), (("inspect", "--rules"), "needs a value"), (("check", "x"), "does not know"),
        (("check", "--json=1"), "takes no value"), (("explain", GOOD, EVIL), "does not know"), (("serve",), "--site"),
        (("test", "-z", "x"), "no option -z"),
        (("drill", "x"), "does not know"), (("drill", "--shape", "get-flod"), "did you mean get-flood"),
        (("drill", "--shape", ""), "slow-body"), (("drill", "-s", "diffuse", "-s", "everything"), "slow-body"),
        (("drill", "--seed", "x"), "whole number"), (("drill", "--seed", "-1"), "whole number"), (("drill", "--seed", ""), "whole number"),
        (("drill", "--seed", "1e3"), "whole number"), (("drill", "--seed", "9999999999999999999"), "whole number"),
    ]
    for words, part in cases:
        out, err = guia(*words, code=2)
        assert part in err and out == "", (words, out, err)
    out, err = guia(code=2)
    assert out == "" and err.startswith("Examples:")


@case
def what_is_given_more_often_than_may_be_is_refused():
    for words, option, most in ((("check",), ("--rules", RULE_FILE), 32), (("inspect", GOOD), ("--rules", RULE_FILE), 32),
                                (("serve",), ("--site", "a.test=http://127.0.0.1:1"), 128), (("check",), ("--listen", "127.0.0.1:1"), 128),
                                (("drill",), ("--shape", "get-flood"), 64)):
        out, err = guia(*words, *option * (most + 1), code=2)
        assert out == "" and f"{option[0]} may be given {most} times" in err, (words, out, err)


@case
def help_starts_with_examples():
    for command in COMMANDS:
        for words in (("help", command), (command, "--help"), (command, "-h")):
            out, _ = guia(*words)
            assert out.startswith("Examples:\n  guia "), out
    out, _ = guia("help")
    assert all(command in out for command in COMMANDS)


@case
def timing_tells_stages_and_rules():
    out, err = guia("check", "--timing", "--rules", RULE_FILE, EVIL, GOOD)
    assert err == "", err
    for part in ("2 requests: ", "candidates: ARGS ", "rules: phase 2", "asked by scan", "always evaluated: reads TX",
                 "of 4 rules 1 are settled at load (0 never match, 1 always do)"):
        assert part in out, (part, out)
    rules = [line.split()[0] for line in out.splitlines() if line.startswith(("9", "1 ", "2 "))]
    assert "942100" in rules and "949110" in rules, out


@case
def timing_as_json_counts_what_happened():
    for _ in range(5):  # where the machine stood still for as long as rounds are gone on with, there is one; then it is done again
        out, _ = guia("check", "--timing", "--json", "--all", "--rules", RULE_FILE, "-", stdin=f"{EVIL}\n{GOOD}\n".encode())
        told = json.loads(out)
        if told["rest"]["rounds"] > 1:
            break
    assert told["requests"] == 2 and told["first"]["rounds"] == 1 and told["rest"]["rounds"] > 1, told
    first = {rule["id"]: rule for rule in told["first"]["rules"]}
    assert sorted(first) == [1, 2, 942100, 949110], first
    assert first[1]["standing"] == "settled" and first[1]["evaluations"] == 0
    assert first[942100]["standing"] == "candidate" and first[942100]["scanned_targets"] == 2
    assert (first[942100]["evaluations"], first[942100]["matches"]) == (1, 1), first[942100]
    assert first[949110]["standing"] == "always" and first[949110]["reason"] == "reads TX"
    # The other request's score is below the threshold: seen without an evaluation.
    assert (first[949110]["evaluations"], first[949110]["matches"]) == (1, 1), first[949110]
    arguments = {run: next(stage for stage in told[run]["stages"] if stage["name"] == "ARGS") for run in ("first", "rest")}
    assert arguments["first"]["count"] == 2 and arguments["first"]["known"] == 0, arguments
    assert arguments["rest"]["known"] == arguments["rest"]["count"] == 2 * told["rest"]["rounds"], arguments
    assert sum(stage["ns"] for stage in told["rest"]["stages"]) <= told["rest"]["ns"]


@case
def timing_of_one_request_with_its_response():
    page = write("slow.txt", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-A: b\r\n\r\nx")
    told = json.loads(guia("explain", "--timing", "--json", "--rules", RULE_FILE, "--response", page, GOOD)[0])
    stages = {stage["name"]: stage for stage in told["first"]["stages"]}
    assert stages["response headers"]["count"] == 2 and stages["request line"]["count"] == 1, stages
    refused = write("refused.txt", "nonsense\r\n\r\n")
    _, err = guia("check", "--timing", "--rules", RULE_FILE, refused, code=2)
    assert "refuses" in err and "needs requests" in err, err
    assert "absent" in guia("check", "--timing", "--rules", RULE_FILE, str(FOLDER / "absent"), code=2)[1]


@case
def nothing_that_is_said_of_words_steers_a_terminal():
    for words in (["\x1b[2Jban"], ["status", "--run-dir", "\x1b]0;x\x07"], ["ban", "\u202e1.2.3.4"]):
        err = subprocess.run([GUIA, *words], capture_output=True, check=False, timeout=300).stderr.decode()
        assert "\\x" in err and not any(c < " " and c != "\n" or c == "\u202e" for c in err), err


@case
def the_configuration_in_its_usual_place_says_where_a_watch_is():
    own_etc = """set -e; mount -t tmpfs none "$1"; mkdir "$1/upper" "$1/work"
        mount -t overlay none -o "lowerdir=/etc,upperdir=$1/upper,workdir=$1/work" /etc; mkdir -p /etc/guia; cp "$2" /etc/guia/guia.yaml"""
    config = write("usual.yaml", "run_dir: /nowhere/gate\nsites:\n  - host: a.test\n    origin: http://127.0.0.1:9\n")
    folder = FOLDER / "etc"
    folder.mkdir()
    inside = ["unshare", "-m", "sh", "-c", own_etc + ' || exit 77; exec "$3" status', "-", folder, config, GUIA]
    done = subprocess.run(inside, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode not in (2, 3):
        raise tap.Skip("no overlay of /etc here")
    assert done.returncode == 3 and "/nowhere/gate: no watch is running there" in done.stderr, done


@case
def man_pages_are_those_of_the_table():
    pages = {"guia": guia("help", "--man")[0]}
    pages.update({f"guia-{name}": guia("help", "--man", name)[0] for name in COMMANDS})
    have = {path.stem: path.read_text() for path in (ROOT / "docs/man").glob("*.1")}
    assert have == pages, "write them again: build/guia help --man COMMAND > docs/man/guia-COMMAND.1"


@case
def inspect_says_one_line_a_file():
    out, _ = guia("inspect", "--rules", RULE_FILE, EVIL, GOOD)
    evil, good = map(json.loads, out.splitlines())
    assert evil["verdict"] == "block" and evil["status"] == 403 and evil["rules"] == [942100, 949110], evil
    assert evil["inbound_score"] == 5 and evil["outbound_score"] == 0 and evil["file"] == EVIL
    assert good["verdict"] == "pass" and good["rules"] == [], good
    listed, _ = guia("inspect", "--rules", RULE_FILE, "-", stdin=f"{EVIL}\n{GOOD}\n".encode())
    assert listed == out


@case
def what_nginx_refuses_says_so():
    bad = write("bad.txt", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
    line = json.loads(guia("inspect", "--rules", RULE_FILE, bad)[0])
    assert line["verdict"] == "refused" and line["status"] == 400 and line["reason"], line
    assert "nginx refuses" in guia("explain", "--rules", RULE_FILE, bad)[0]


@case
def a_missing_file_does_not_stop_the_others():
    out, err = guia("inspect", "--rules", RULE_FILE, "/nowhere/x", GOOD, code=2)
    assert json.loads(out)["verdict"] == "pass" and "/nowhere/x: No such file" in err, (out, err)


@case
def responses_are_inspected():
    rules = write("response.conf", "SecRuleEngine On\nSecResponseBodyAccess On\nSecResponseBodyMimeType text/html\n"
                  'SecRule RESPONSE_BODY "@contains secret" "id:5,phase:4,deny,status:502,log,msg:x"\n')
    page = write("page.txt", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\nsecret")
    line = json.loads(guia("inspect", "--rules", rules, "--response", page, GOOD)[0])
    assert line["verdict"] == "block" and line["status"] == 502 and line["rules"] == [5], line
    assert "not a raw HTTP response" in guia("inspect", "--rules", rules, "--response", GOOD, GOOD, code=2)[1]


@case
def wrong_rules_are_told_with_file_line_and_column():
    for text, part in (("SecRule ARGS \"@rx (\" \"id:1\"\n", "wrong.conf:1:"), ("SecNonsense on\n", "wrong.conf:1:"),
                       ("\nSecRule NOTHING \"x\" \"id:1\"\n", "wrong.conf:2:"), ("SecRuleScript a.lua\n", "SecRuleScript"),
                       ("SecRule ARGS \"@pmFromFile none.data\" \"id:1\"\n", "none.data")):
        path = write("wrong.conf", text)
        for words in (("check", "--rules", path), ("inspect", "--rules", path, GOOD)):
            assert part in guia(*words, code=2)[1], (text, part)
    guia("check", "--rules", "/nowhere.conf", code=2)


@case
def check_counts():
    assert json.loads(guia("check", "--rules", RULE_FILE, "--json")[0])["links"] == 5
    assert "4 rules" in guia("check", "--rules", RULE_FILE)[0]


@case
def explain_shows_every_link_and_marks_the_match():
    out, _ = guia("explain", "--rules", RULE_FILE, EVIL)
    for part in ("Blocked with status 403 by rule 949110", "Inbound score 5 (blocked from 5 on)", "942100", "ARGS:q", "x EEvil",
                 "t:lowercase", "x >>>eevil<<<", "REQUEST_METHOD", "ctl:ruleRemoveTargetById=942100;ARGS:q",
                 "SecRuleUpdateTargetById 942100 \"!ARGS:q\"", "SecRuleRemoveById 942100"):
        assert part in out, (part, out)
    assert "RemoveById 949" not in out and "\x1b" not in out


@case
def an_injection_is_explained_by_its_fingerprint():
    rules = write("sqli.conf", RULES + 'SecRule ARGS|ARGS:password "@detectSQLi" "id:942101,phase:2,deny,log,msg:\'SQL\'"\n')
    told = write("sqli.txt", request("GET /?q=1%27%20or%201=1--%20- HTTP/1.1"))
    secret = write("secret.txt", request("GET /?password=1%27%20or%201=1--%20- HTTP/1.1"))
    assert "fingerprint        s&1c: string, logic, number, comment" in (out := guia("explain", "--rules", rules, told)[0]), out
    link = json.loads(guia("explain", "--json", "--rules", rules, told)[0])["rules"][0]["links"][0]
    assert (link["operator"], link["found"]) == ("detectSQLi", "s&1c"), link
    assert "fingerprint" not in guia("explain", "--rules", rules, secret)[0]


def limited(limit, *words, code):
    """Runs it under a limit of the shell's, hard and soft; -> stderr."""
    done = subprocess.run(["sh", "-c", f'ulimit {limit} && exec "$@"', "sh", GUIA, *words], capture_output=True, check=False,
                          timeout=120, env={**os.environ, "XDG_CACHE_HOME": str(FOLDER / "cache")})
    assert done.returncode == code, (limit, words, done.returncode, done.stderr)
    return done.stderr.decode()


@case
def a_small_stack_is_enlarged_or_told():
    limited("-S -s 64", "check", "--rules", RULE_FILE, code=0)
    err = limited("-s 64", "check", "--rules", RULE_FILE, code=3)
    assert "the stack may hold 64 KB only" in err, err


@case
def a_file_that_may_not_grow_is_told():
    rules = write("literal.conf", RULES + "".join('SecRule %s "@pm %s" id:%d\n' % (
        variable, " ".join(f"word{i}" for i in range(500)), number) for number, variable in ((3, "ARGS"), (4, "REQUEST_BODY"))))
    folder = FOLDER / "cache-small"
    err = limited("-f 1", "check", "--cache", str(folder), "--rules", rules, code=0)
    assert err.count("the cache of compiled patterns is not used: File too large") == 1, err
    assert not [path for path in folder.iterdir() if path.stat().st_size > 512], list(folder.iterdir())


@case
def a_pipe_that_nobody_writes_to_is_not_waited_for():
    os.mkfifo(FOLDER / "pipe")
    assert "No data available" in guia("check", "--rules", str(FOLDER / "pipe"), code=2)[1]
    assert "No data available" in guia("check", "--rules", write("pipe.conf", "Include pipe\n"), code=2)[1]
    assert "4 rules" in guia("check", "--rules", "/dev/stdin", stdin=RULES.encode())[0]


@case
def every_exclusion_works():
    before = json.loads(guia("inspect", "--rules", RULE_FILE, EVIL)[0])["inbound_score"]
    story = json.loads(guia("explain", "--json", "--rules", RULE_FILE, EVIL)[0])
    assert [rule["id"] for rule in story["rules"]] == [942100] and len(story["exclusions"]) == 3
    for exclusion in story["exclusions"]:
        path = write("exclusion.conf", exclusion["text"])
        order = (path, RULE_FILE) if exclusion["place"] == "before" else (RULE_FILE, path)
        line = json.loads(guia("inspect", "--rules", order[0], "--rules", order[1], EVIL)[0])
        assert line["inbound_score"] < before and line["verdict"] == "pass", (exclusion, line)


@case
def exclusions_of_several_requests_go_into_one_file():
    texts = []
    for path in ("/a", "/b"):
        evil = write("evil-there.txt", request(f"GET {path}?q=evil HTTP/1.1"))
        texts.append(json.loads(guia("explain", "--json", "--rules", RULE_FILE, evil)[0])["exclusions"][0]["text"])
    guia("check", "--rules", write("both.conf", "".join(texts)), "--rules", RULE_FILE)


@case
def what_cannot_be_excluded_by_its_variable_is_by_its_path():
    rules = write("flag.conf", RULES + """
SecRule ARGS "@streq flag" "id:3,phase:1,nolog,pass,setvar:tx.flag=1"
SecRule TX:flag "@eq 1" "id:932001,phase:1,log,pass,msg:'Flag',setvar:'tx.anomaly_score_pl1=+5'"
""")
    mixed = write("mixed.txt", request("GET /m?q=evil&r=flag HTTP/1.1"))
    exclusions = json.loads(guia("explain", "--json", "--rules", rules, mixed)[0])["exclusions"]
    assert "ctl:ruleRemoveById=932001" in exclusions[0]["text"] and len(exclusions) == 3, exclusions
    for exclusion in exclusions:
        path = write("exclusion.conf", exclusion["text"])
        order = (path, rules) if exclusion["place"] == "before" else (rules, path)
        line = json.loads(guia("inspect", "--rules", order[0], "--rules", order[1], mixed)[0])
        assert line["verdict"] == "pass", (exclusion, line)


@case
def a_rule_that_blocks_by_itself_is_explained():
    rules = write("deny.conf", 'SecRuleEngine On\nSecRule ARGS:q "@streq no" "id:7,phase:2,deny,status:406"\n')
    denied = write("denied.txt", request("GET /?q=no HTTP/1.1"))
    out, _ = guia("explain", "--rules", rules, denied)
    assert "7  blocked by itself" in out and "looks at ARGS:q" in out and "SecRuleRemoveById 7" in out, out
    story = json.loads(guia("explain", "--json", "--rules", rules, denied)[0])
    assert [(rule["id"], rule["blocked"]) for rule in story["rules"]] == [(7, True)] and story["bookkeeping"] == []


@case
def a_refused_request_is_explained_to_programs_too():
    cut = write("cut.txt", b"GET / HTTP/1.1\r\nHost: a.test\r\n")
    assert json.loads(guia("explain", "--json", "--rules", RULE_FILE, cut)[0])["verdict"] == "refused"
    assert "hint: an empty line ends the headers" in guia("explain", "--rules", RULE_FILE, cut)[0]


@case
def a_folder_is_no_file():
    for words in (("inspect", "/"), ("explain", "/"), ("check", "-c", "/"), ("check", "--rules", "/"),
                  ("explain", "--response", "/", EVIL)):
        assert "Is a directory" in guia(*words, code=2)[1]


@case
def exclusions_cannot_be_written_by_the_request():
    nasty = write("nasty.txt", request('GET /a"b\\c?q%22%2C%27;ctl:ruleEngine=off=evil HTTP/1.1'))
    exclusions = json.loads(guia("explain", "--json", "--rules", RULE_FILE, nasty)[0])["exclusions"]
    assert exclusions
    for exclusion in exclusions:
        assert "ruleEngine" not in exclusion["text"] and "\\c" not in exclusion["text"].replace("\\\n    ctl", ""), exclusion
        guia("check", "--rules", RULE_FILE, "--rules", write("exclusion.conf", exclusion["text"]))


@case
def nothing_raw_reaches_a_terminal():
    path = write("raw.txt", request("GET /?a=evil%1b%5b2J%c2%9b%e2%80%ae%9b HTTP/1.1",
                                    "X-Test: evil \x9b\x90 \xe2\x80\xae \xff"))
    out = subprocess.run([GUIA, "explain", "--rules", RULE_FILE, path], capture_output=True, check=True).stdout
    text = out.decode()  # valid UTF-8, or this fails
    for character in text:
        assert character == "\n" or not (ord(character) < 0x20 or 0x7f <= ord(character) <= 0x9f), repr(text)
        assert not 0x202a <= ord(character) <= 0x202e, repr(text)


@case
def a_count_is_a_number():
    for command, counts in (("top", ("5x", "0", "51", "-1", "")), ("incidents", ("5x", "0", "-1", "99999999999"))):
        for count in counts:
            assert f"--count {count}: a number from 1 to " in guia(command, f"--count={count}", code=2)[1]


@case
def secrets_are_not_told():
    path = write("secret.txt", request("GET /?password=eviltopsecret&q=evil HTTP/1.1", "Authorization: Basic evilsecret"))
    for words in (("explain",), ("explain", "--json")):
        out, _ = guia(*words, "--rules", RULE_FILE, path)
        assert "topsecret" not in out and "[redacted]" in out, out


@case
def rule_tests_pass_fail_and_skip():
    stage = "[{input: {headers: {Host: a}, uri: '%s'}, output: {%s}}]"
    tests = [stage % ("/?q=evil", "log: {expect_ids: [942100]}"), stage % ("/?q=evil", "log: {no_expect_ids: [942100]}"),
             stage % ("/", "status: 404")]
    suite = write("suite.yaml", "rule_id: 942100\ntests:\n" + "".join(
        f"  - test_id: {number}\n    stages: {text}\n" for number, text in enumerate(tests, 1)))
    out, _ = guia("test", "--rules", RULE_FILE, suite, code=1)
    assert "942100-2" in out and "expected status 404, got 200" in out, out
    assert out.endswith("1 passed, 2 failed, 0 skipped\n"), out
    overrides = write("overrides.yaml", "test_overrides:\n  - {rule_id: 942100, test_ids: [2], reason: r, ignore: true}\n"
                      "  - {rule_id: 942100, test_ids: [3], reason: r, output: {status: 200}}\n")
    out, _ = guia("test", "--rules", RULE_FILE, "--overrides", overrides, suite)
    assert out.endswith("2 passed, 0 failed, 1 skipped\n"), out
    lines = [json.loads(line) for line in guia("test", "--json", "--rules", RULE_FILE, suite, code=1)[0].splitlines()]
    assert [line["outcome"] for line in lines[:3]] == ["passed", "failed", "failed"] and lines[3]["failed"] == 2
    assert [line["line"] for line in lines[:3]] == [3, 6, 8], lines
    for name, text in (("a.yaml", "tests: [\n"), ("b.yaml", "tests: 1\n"), ("c.yaml", "x: *y\n")):
        assert f"{name}:" in guia("test", "--rules", RULE_FILE, write(name, text), code=2)[1]
    guia("test", "--rules", RULE_FILE, "/nowhere.yaml", code=2)
    (FOLDER / "no-tests").mkdir()
    assert "no tests" in guia("test", "--rules", RULE_FILE, str(FOLDER / "no-tests"), code=2)[1]
    misspelt = write("misspelt.yaml", "rule_id: 1\ntests:\n  - test_id: 1\n    stages:\n      - input: {uri: /}\n"
                     "        output: {log: {expekt_ids: [1]}}\n")
    err = guia("test", "--rules", RULE_FILE, misspelt, code=2)[1]
    assert "misspelt.yaml:6:24: error: unknown key `expekt_ids`" in err and "hint: known here: expect_ids" in err, err
    assert "--log" in guia("test", "--server", "http://127.0.0.1:1", suite, code=2)[1]


@case
def a_cookie_that_an_answer_sets_is_sent_by_later_stages():
    answer = '{"status": 200, "headers": {"Set-Cookie": "a=evil; Path=/"}}'
    rules = write("cookie.conf", 'SecRuleEngine On\nSecRule REQUEST_COOKIES:a "@streq evil" "id:7,phase:1,deny,status:403,log"\n')
    stages = "".join(f"""
      - input: {{uri: /reflect, method: POST, save_cookie: {saves}, headers: {{Host: a, Content-Type: application/json}}, data: '{answer}'}}
        output: {{status: 200}}
      - input: {{uri: /, headers: {{Host: a}}}}
        output: {{status: {status}}}""" for saves, status in (("false", 200), ("true", 403)))
    suite = write("cookie.yaml", f"rule_id: 7\ntests:\n  - test_id: 1\n    stages:{stages}\n")
    assert guia("test", "--rules", rules, suite)[0].endswith("1 passed, 0 failed, 0 skipped\n")


class Logging(http.server.BaseHTTPRequestHandler):
    """A server that writes what it is asked into its log, as a gate's rules do."""

    def do_GET(self):
        with self.server.log.open("a") as log:
            log.write(f"{self.path} {self.headers.get('X-CRS-Test', '')}\n")
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@case
def a_long_log_is_read_from_its_end():
    suite = write("remote.yaml", "rule_id: 1\ntests:\n  - test_id: 1\n    stages:\n      - input: {uri: /asked}\n"
                  "        output: {status: 200, log: {match_regex: /asked, no_match_regex: /before}}\n")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Logging) as server:
        server.log = FOLDER / "long.log"
        server.log.write_text("/before\n")
        os.truncate(server.log, 200 << 20)  # more than a stage has room for
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        out, _ = guia("test", "--server", f"http://127.0.0.1:{server.server_address[1]}", "--log", str(server.log), suite)
        server.shutdown()
    assert out.endswith("1 passed, 0 failed, 0 skipped\n"), out


def main():
    return 1 if tap.run([(tap.title(function), function) for function in CASES]) else 0


if __name__ == "__main__":
    sys.exit(main())
