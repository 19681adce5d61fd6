"""The wall clock jumps by hours and years while requests come: all are answered, counters of clients neither expire early
nor live on, and records have the time that was."""
import re
import sys
import threading
import time

from harness import Gate, Origin, case, curl, free_port, main, wait_until

RULES = """
SecRuleEngine On
SecRequestBodyAccess On
SecAuditEngine RelevantOnly
SecAuditLogFormat JSON
SecAuditLogParts AHZ
SecAuditLog {folder}/audit.log
SecAction "id:1,phase:1,pass,nolog,initcol:ip=%{{REMOTE_ADDR}}"
SecRule ARGS:count "@streq 1" "id:2,phase:2,pass,nolog,setvar:ip.seen=+1"
SecRule ARGS:count "@streq 1" "id:5,phase:2,pass,nolog,setvar:ip.short=+1,expirevar:ip.short=2"
SecRule ARGS:q "@contains evil" "id:3,phase:2,deny,status:403,log,auditlog,msg:'at %{{TIME_YEAR}} for %{{DURATION}}'"
SecRule ARGS:short "@streq 1" "id:6,phase:1,deny,status:410,nolog,chain"
  SecRule &IP:short "@eq 1" "t:none"
SecRule IP:seen "@ge 3" "id:4,phase:1,deny,status:429,nolog"
"""
HOUR, YEAR = 3600, 366 * 24 * 3600
JUMPS = (HOUR, -HOUR, YEAR, -YEAR, 20 * YEAR, 0)
origin = Origin()
PORT = free_port()
gate = Gate("", start=False, workers=2)
gate.write("rules.conf", RULES.format(folder=gate.folder))
clock = gate.write("offset", "0")
gate.configure(f"""
guia_collections 1m;
server {{
    listen 127.0.0.1:{PORT};
    guia on; guia_rules rules.conf;
    location / {{ proxy_pass http://127.0.0.1:{origin.port}; }}
}}
""")
gate.start(["env", f"LD_PRELOAD={sys.argv[2]}", f"GUIA_CLOCK={clock}"])


def ask(path, *arguments):
    return curl(f"http://127.0.0.1:{PORT}{path}", *arguments)


def jump(seconds):
    """Workers take notice with the next thing that happens."""
    (gate.folder / "new").write_text(str(seconds))
    (gate.folder / "new").rename(clock)
    ask("/echo")


@case("requests go on being answered and inspected across jumps, by the same workers")
def _():
    workers, statuses, ends = gate.worker_pids(), [], threading.Event()

    def client(query, expected):
        while not ends.is_set():
            statuses.append((ask(f"/echo?q={query}").status, expected))
    threads = [threading.Thread(target=client, args=a) for a in (("fine", 200), ("evil", 403), ("fine", 200))]
    for thread in threads:
        thread.start()
    for seconds in JUMPS:
        jump(seconds)
        before = len(statuses)
        wait_until(lambda: len(statuses) >= before + 12, "answers")
    ends.set()
    for thread in threads:
        thread.join()
    assert [s for s in statuses if s[0] != s[1]] == [] and gate.worker_pids() == workers


@case("records and macros have the time that the clock shows, and durations are none below zero")
def _():
    for seconds in (20 * YEAR, 0):
        jump(seconds)
        assert ask(f"/echo?q=evil&at={seconds}").status == 403
        year = time.gmtime(time.time() + seconds).tm_year
        record = wait_until(lambda: [r for r in gate.audit() if r["transaction"]["messages"][0]["message"]
                                     .startswith(f"at {year} for ")], f"a record of {year}")[-1]["transaction"]
        assert record["time_stamp"].endswith(str(year)), record
    for record in gate.audit():
        assert re.fullmatch(r"at \d{4} for \d+\.\d{6}", record["transaction"]["messages"][0]["message"]), record


@case("what is counted of clients neither expires because of a jump nor outlives its time")
def _():
    jump(0)
    for _ in range(3):
        assert ask("/echo?count=1").status == 200
    for seconds in JUMPS:
        jump(seconds)
        assert ask("/echo").status == 429, seconds
    jump(-YEAR)
    wait_until(lambda: ask("/echo?short=1").status == 429, "the end of what lasts two seconds")


if __name__ == "__main__":
    main()
