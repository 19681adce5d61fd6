"""When inspection fails, what was chosen happens; what people keep secret stands in no record; records do not mix."""
import json
import os
import signal
import stat
import subprocess
import threading

from harness import Gate, Origin, case, curl, free_port, main, wait_until

RULES = """
SecRuleEngine On
SecRequestBodyAccess On
SecRequestBodyLimit 13000000
SecResponseBodyAccess On
SecResponseBodyMimeType text/html
SecResponseBodyLimit 10000000
SecAuditEngine On
SecAuditLogFormat JSON
SecAuditLogParts ABCEFHJZ
SecAuditLog {audit}
SecRule ARGS|REQUEST_HEADERS|REQUEST_COOKIES|REQUEST_BODY "@rx .{{8}}" "id:1,phase:2,pass,log,t:none,msg:'seen',logdata:'%{{MATCHED_VAR_NAME}}=%{{MATCHED_VAR}}'"
SecRule RESPONSE_BODY "@contains LEAK" "id:2,phase:4,deny,status:403,log,t:none"
"""
JSON_BODY = json.dumps({f"k{n}": "v" * 20 for n in range(20000)}).encode()
origin = Origin({"/large": lambda h: h.send(200, b"0123456789abcdef" * 200000)})
PORT = free_port()
gate = Gate("", workers=2, start=False)
gate.write("rules.conf", RULES.format(audit=gate.folder / "audit.log"))
gate.write("json.conf", 'SecAction "id:9,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON"\n')
gate.configure(f"""
client_max_body_size 20m;
server {{
    listen 127.0.0.1:{PORT};
    guia on; guia_rules rules.conf;
    location / {{ proxy_pass http://127.0.0.1:{origin.port}; }}
    location /block/ {{ guia_rules json.conf; guia_transaction_memory 256k; guia_on_failure block;
                        proxy_pass http://127.0.0.1:{origin.port}/; }}
    location /pass/ {{ guia_rules json.conf; guia_transaction_memory 256k; guia_on_failure pass;
                       proxy_pass http://127.0.0.1:{origin.port}/; }}
    location /warn/ {{ guia_log_level warn; proxy_pass http://127.0.0.1:{origin.port}/; }}
    location /quiet/ {{ error_log {gate.folder}/quiet.log notice; proxy_pass http://127.0.0.1:{origin.port}/; }}
    location /default/ {{ guia_rules json.conf; guia_transaction_memory 256k; proxy_pass http://127.0.0.1:{origin.port}/; }}
}}
""")
gate.start()


def ask(path, *arguments, data=None):
    return curl(f"http://127.0.0.1:{PORT}{path}", *arguments, data=data)


def post(path):
    return ask(path, "-H", "Content-Type: application/json", "--data-binary", "@-", data=JSON_BODY)


@case("a request that passes the memory limit is blocked by default, or passed where chosen, and logged")
def _():
    assert post("/echo").status == 200, "with 16 MB there is no trouble"
    assert post("/block/echo").status >= 400
    assert post("/default/echo").status >= 400
    reply = post("/pass/echo")
    assert reply.status == 200 and reply.json()["length"] == len(JSON_BODY), reply
    wait_until(lambda: len([l for l in gate.log_lines("error.log") if "passed its memory limit" in l]) == 3, "the lines")


@case("a small request is served under a small limit")
def _():
    for place in ("/block", "/pass", "/default"):
        assert ask(place + "/echo?a=b").status == 200


SECRETS = {"password": "s3cretpassw0rd", "token": "t0kentokent0ken", "header": "bearer-abcdefgh", "cookie": "c00kiec00kie",
           "uri": "ur1secretur1", "json": "js0nsecretjs0n"}


@case("secrets stand in no record")
def _():
    ask(f"/echo?secrets=here&password={SECRETS['uri']}&shown=visible-value", "-H", f"Authorization: Bearer {SECRETS['header']}",
        "-H", f"Cookie: session={SECRETS['cookie']}", "-d", f"password={SECRETS['password']}&token={SECRETS['token']}&"
        "plain=visible-too")
    ask("/echo?secrets=json", "-H", "Content-Type: application/json", "-d", json.dumps({"password": SECRETS["json"]}))
    wait_until(lambda: len([r for r in gate.audit() if "secrets=" in json.dumps(r)]) >= 2, "the records")
    for name in ("error.log", "audit.log"):
        text = "\n".join(gate.log_lines(name))
        found = [secret for secret in SECRETS.values() if secret in text]
        assert not found, (name, found, [l for l in gate.log_lines(name) if found[0] in l][:2])
    assert "visible-too" in "\n".join(gate.log_lines("error.log")), "what is no secret is shown"


@case("the audit log is for its owner and group only")
def _():
    def private():
        mode = stat.S_IMODE(os.stat(gate.folder / "audit.log").st_mode)
        assert mode & 0o007 == 0, oct(mode)
    private()
    os.rename(gate.folder / "audit.log", gate.folder / "audit.old")
    gate.signal(signal.SIGUSR1)
    wait_until((gate.folder / "audit.log").exists, "the new file")
    private()


@case("the lines of rules have the level that is wanted, and none below the log's is made")
def _():
    for path, level in (("/echo", "info"), ("/warn/echo", "warn")):
        assert ask(path + "?a=long-enough-value").status == 200
        lines = gate.logged(f'[uri "{path}"]')
        assert all(f"[{level}]" in l and "ModSecurity: " in l for l in lines), lines
    assert ask("/quiet/echo?level3=long-enough-value").status == 200
    wait_until(lambda: [l for l in gate.log_lines("audit.log") if "level3" in l], "the record")
    assert not [l for l in gate.log_lines("quiet.log") if "ModSecurity: " in l]


@case("records of several workers do not mix")
def _():
    long = "x" * 6000
    runs = [subprocess.Popen(["curl", "-s", "-o", "/dev/null", f"http://127.0.0.1:{PORT}/echo?many=1&pad={long}&n=[1-100]"])
            for _ in range(4)]
    for run in runs:
        run.wait(300)

    def all_there():
        lines = [l for l in gate.log_lines("audit.log") if "many=1" in l]
        return len(lines) == 400 and lines
    for line in wait_until(all_there, "400 records"):
        json.loads(line)


if __name__ == "__main__":
    main()
