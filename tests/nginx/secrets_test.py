"""What people keep secret stands in no record, wherever it was sent and whatever a rule says of it.

Secrets are planted in the URI, headers, cookies, bodies of every kind and in responses; rules that match everything, and the
Core Rule Set where it is installed, write about them; then every output is searched: the error log, the audit log, explain (for
people and as JSON) and inspect.
"""
import base64
import json
import pathlib
import subprocess
import urllib.parse

from harness import MODULE, Gate, Origin, case, free_port, main, raw, wait_until

GUIA = MODULE.parent / "guia"
VARIABLES = ("ARGS", "ARGS_GET", "ARGS_POST", "REQUEST_HEADERS", "REQUEST_COOKIES", "REQUEST_BODY", "REQUEST_URI",
             "REQUEST_URI_RAW", "REQUEST_LINE", "QUERY_STRING", "REQUEST_FILENAME", "FULL_REQUEST", "XML:/*", "XML://@*",
             "FILES", "FILES_TMP_CONTENT", "MULTIPART_PART_HEADERS", "REQUEST_BASENAME")
RESPONSE_VARIABLES = ("RESPONSE_HEADERS", "RESPONSE_BODY")
RULES = """
SecRuleEngine On
SecRequestBodyAccess On
SecResponseBodyAccess On
SecResponseBodyMimeType text/html application/json
SecAuditEngine On
SecAuditLogFormat JSON
SecAuditLogParts ABCEFHIJZ
SecGuiaRedact x-office-number
SecRule REQUEST_HEADERS:Content-Type "@contains json" "id:1,phase:1,pass,nolog,t:none,ctl:requestBodyProcessor=JSON"
SecRule REQUEST_HEADERS:Content-Type "@contains xml" "id:2,phase:1,pass,nolog,t:none,ctl:requestBodyProcessor=XML"
""" + "".join(
    f'SecRule {name} "@rx (?i)(.{{4,}})" "id:{100 + n},phase:2,pass,capture,log,auditlog,t:none,msg:\'found %{{MATCHED_VAR}}\','
    f'logdata:\'Matched Data: %{{TX.0}} found within %{{MATCHED_VAR_NAME}}: %{{MATCHED_VAR}}\'"\n'
    f'SecRule {name} "@rx (?i)(.{{4,}})" "id:{200 + n},phase:2,pass,capture,log,auditlog,t:none,t:urlDecodeUni,t:lowercase,'
    f'setvar:\'tx.found_{n}=%{{MATCHED_VAR}}\',logdata:\'%{{TX.1}} %{{tx.found_{n}}}\'"\n'
    for n, name in enumerate(VARIABLES)) + "".join(
    f'SecRule {name} "@rx (.{{4,}})" "id:{300 + n},phase:4,pass,log,auditlog,t:none,logdata:\'%{{MATCHED_VAR}}\'"\n'
    for n, name in enumerate(RESPONSE_VARIABLES))
CRS = pathlib.Path("/usr/share/modsecurity-crs/rules")
CRS_RULES = """
Include /etc/modsecurity/crs/crs-setup.conf
SecAction "id:900,phase:1,pass,nolog,setvar:tx.paranoia_level=4,setvar:tx.executing_paranoia_level=4"
Include /usr/share/modsecurity-crs/rules/*.conf
SecRuleEngine DetectionOnly
"""
SPECIAL = "Zq9' OR 1=1<script>"  # what the Core Rule Set writes about


def secret(number):
    return f"s3cr{number}tv4lue"


class Exchange:
    """One request, the secrets planted in it, and the words beside them that stay readable."""

    def __init__(self, title, request, secrets, shown=()):
        self.title, self.request, self.secrets, self.shown = title, request, secrets, shown


def get(path, *headers):
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: a.test", "User-Agent: test", "Connection: close", *headers, "", ""])


def post(kind, body, path="/echo"):
    return f"POST {path} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: " \
           f"{len(body.encode())}\r\n\r\n{body}"


q = urllib.parse.quote_plus
EVIL = secret(1) + SPECIAL
EXCHANGES = [
    Exchange("argument", get(f"/echo?password={q(EVIL)}&plain=visible"), [secret(1)], ["visible"]),
    Exchange("argument, encoded name", get(f"/echo?p%61ssword={secret(1)}&user%5Bpassword%5D={secret(2)}"), [secret(1), secret(2)]),
    Exchange("argument, hex", get("/echo?token=" + "".join(f"%{ord(c):02x}" for c in secret(3))), [secret(3)]),
    Exchange("own name", get(f"/echo?X_Office_Number={secret(4)}", f"X-Office-Number: {secret(5)}"), [secret(4), secret(5)]),
    Exchange("refused for its length", post("text/plain", "x" * 3000, f"/small%0aFAKE;sid={secret(2)}?password={secret(1)}"),
             [secret(1), secret(2)]),
    Exchange("own name, blocked", get(f"/echo?X_Office_Number={q(EVIL)}"), [secret(1)]),
    Exchange("absolute URI", get(f"http://a.test/echo;jsessionid={secret(6)}?pwd={secret(7)}#pin={secret(5)}"),
             [secret(6), secret(7), secret(5)]),
    Exchange("a dead origin", get(f"/dead?password={secret(1)}&p%61ssword={secret(2)}",
                                  f"Referer: http://a.test/?token={secret(3)}"), [secret(1), secret(2), secret(3)]),
    Exchange("headers", get("/echo", f"Authorization: Bearer {secret(1)}", f"X-Api-Key: {secret(2)}",
                            f"Proxy-Authorization: Basic {base64.b64encode(('u:' + secret(3)).encode()).decode()}",
                            f"Referer: https://a.test/x?token={secret(4)}", "X-Shown: visible"),
             [secret(1), secret(2), base64.b64encode(('u:' + secret(3)).encode()).decode(), secret(4)], ["visible"]),
    Exchange("cookies", get("/echo", f"Cookie: session={secret(1)}; JSESSIONID={secret(2)}; lang=visible", f"Cookie2: {secret(3)}"),
             [secret(1), secret(2), secret(3)]),
    Exchange("form", post("application/x-www-form-urlencoded", f"senha={q(EVIL)}&plain=visible&credit_card=4111{secret(2)}"),
             [secret(1), secret(2)], ["visible"]),
    Exchange("JSON", post("application/json", json.dumps({"user": {"password": EVIL, "name": "visible"}, "token": [secret(2)],
                                                          "list": [{"pin": secret(3)}], "deep": {"secret": {"a": secret(4)}}})),
             [secret(1), secret(2), secret(3), secret(4)], ["visible"]),
    Exchange("JSON cut off", post("application/json", '{"password": "' + secret(1)), [secret(1)]),
    Exchange("JSON, escaped name", post("application/json", '{"p\\u0061ssword": "' + secret(1) + '"}'), [secret(1)]),
    Exchange("multipart", post("multipart/form-data; boundary=bb", "".join(
        f'--bb\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in (("password", EVIL), ("plain", "visible"))) +
        '--bb\r\nContent-Disposition: form-data; name="private_key"; filename="k.pem"\r\nContent-Type: text/plain\r\n\r\n' +
        secret(2) + "\r\n--bb--\r\n"), [secret(1), secret(2)], ["visible"]),
    Exchange("XML", post("text/xml", f'<r><password>{secret(1)}</password><user token="{secret(2)}">visible</user></r>'),
             [secret(1), secret(2)]),
    Exchange("response", get("/answer"), [secret(1), secret(2), secret(3)]),
]


def answer(handler):
    handler.send(200, json.dumps({"access_token": secret(2), "plain": "visible", "user": {"password": secret(3)}}).encode(),
                 "application/json", Set_Cookie=f"sid={secret(1)}; HttpOnly")


origin = Origin({"/answer": answer, "/echo": lambda h: h.send(200, b"<p>fine</p>")})
PORTS = {"all": free_port(), "crs": free_port()}
gate = Gate("", start=False, files={"all.conf": RULES, "crs.conf": RULES.split("SecRule REQUEST_HEADERS:Content-Type")[0] + CRS_RULES})
rules = {"all": gate.folder / "all.conf", **({"crs": gate.folder / "crs.conf"} if CRS.exists() else {})}
gate.configure("guia_cache_dir cache; log_format own '$status $guia_uri'; access_log %s/own.log own;" % gate.folder + "".join(f"""
server {{
    listen 127.0.0.1:{PORTS[name]};
    guia on; guia_rules {path} "SecAuditLog {gate.folder}/audit-{name}.log";
    location / {{ proxy_pass http://127.0.0.1:{origin.port}; }}
    location /small {{ client_max_body_size 1k; proxy_pass http://127.0.0.1:{origin.port}; }}
    location /dead {{ proxy_pass http://127.0.0.1:{free_port()}; }}
}}""" for name, path in rules.items()), f"error_log {gate.folder}/error.log info;")
gate.start()


def found(text, exchange):
    """Secrets that stand in a text, as they are or decoded."""
    forms = [text, text.lower(), urllib.parse.unquote(text)]
    return [s for s in exchange.secrets if any(s in f or s.lower() in f for f in forms)]


def where(text, word):
    at = max(text.find(word), 0)
    return text[max(0, at - 150):at + 80]


def check(name, text, exchange, what):
    leaked = found(text, exchange)
    assert not leaked, (what, name, exchange.title, leaked, where(text, leaked[0]))


@case("the gate's logs hold no secret, and are readable beside them")
def _():
    for name in rules:
        for exchange in EXCHANGES:
            before = {log: len(read(log)) for log in ("error.log", "own.log", f"audit-{name}.log")}
            reply = raw(PORTS[name], exchange.request.encode())
            assert reply, (name, exchange.title)
            # a file may be read in the middle of a write
            wait_until(lambda: read(f"audit-{name}.log")[before[f"audit-{name}.log"]:].endswith("\n"), f"the record of {exchange.title}")
            for log, size in before.items():
                text = read(log)[size:]
                check(log, text, exchange, name)
                if log.startswith("audit"):
                    json.loads(text)
                    assert "refused" in exchange.title or all(word in text for word in exchange.shown), (name, exchange.title, text[:3000])
            if name == "all" and "refused" not in exchange.title:
                assert "found within" in read("error.log")[before["error.log"]:], exchange.title
            assert "\nFAKE" not in read("error.log")
            if "dead" in exchange.title:
                assert "Connection refused" in read("error.log")[before["error.log"]:]
    assert "/echo?password=[redacted]&plain=visible" in read("own.log"), read("own.log")


def read(name):
    return (gate.folder / name).read_text(errors="strict") if (gate.folder / name).exists() else ""


@case("explain and inspect show no secret")
def _():
    response = gate.write("response.http", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nSet-Cookie: sid=" + secret(1) +
                          '\r\n\r\n{"access_token": "' + secret(2) + '", "password": "' + secret(3) + '"}')
    requests = [gate.write(f"request{n}.http", exchange.request) for n, exchange in enumerate(EXCHANGES)]

    def ask(name, *words):
        done = subprocess.run([GUIA, *words[:1], "--rules", rules[name], "--cache", gate.folder / "cache", "--response", response,
                               *words[1:]], capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode in (0, 1), (words, done)
        return done.stdout + done.stderr
    for name in rules:
        said = ask(name, "inspect", *requests)
        for exchange in EXCHANGES:
            check("inspect", said, exchange, name)
    scoring = "crs" if "crs" in rules else "all"
    for exchange, request in zip(EXCHANGES, requests):
        check("explain", ask(scoring, "explain", request), exchange, scoring)
        check("explain --json", ask(scoring, "explain", "--json", request), exchange, scoring)


@case("control bytes and invalid UTF-8 break no record")
def _():
    nasty = b"GET /echo?a=%0a%0d%00%1b[31m%ff%c0%af HTTP/1.1\r\nHost: a.test\r\nX-Bad: a\x1b[2J\x80\xff\xc2\x9b\tb\r\nConnection: close\r\n\r\n"
    before = {log: len((gate.folder / log).read_bytes()) for log in ("error.log", "audit-all.log")}
    assert raw(PORTS["all"], nasty)
    wait_until(lambda: (gate.folder / "audit-all.log").read_bytes()[before["audit-all.log"]:].endswith(b"\n"), "the record")
    record = (gate.folder / "audit-all.log").read_bytes()[before["audit-all.log"]:]
    assert record.count(b"\n") == 1 and record.endswith(b"\n"), record
    json.loads(record.decode("utf-8", "strict"))
    lines = (gate.folder / "error.log").read_bytes()[before["error.log"]:]
    bad = [b for b in lines if b < 32 and b not in b"\n" or b == 127]
    assert not bad, bad
    lines.decode("utf-8", "strict")
    assert b'[unique_id "' in lines and b'[id "103"]' in lines


@case("a line of any length tells rule and request")
def _():
    for name in rules:
        before, records = len(read("error.log")), len(read(f"audit-{name}.log"))
        path = "/echo/" + "%01%22" * 400 + "?a=" + "%01%5b%22" * 400 + "%27+or+1=1%3cscript>"
        assert raw(PORTS[name], get(path, "X-A: " + '"\t' * 1000 + "' or 1=1 --").encode())
        # The record is written last.
        wait_until(lambda n=name, size=records: read(f"audit-{n}.log")[size:].endswith("\n"), "the record")
        lines = [l for l in read("error.log")[before:].splitlines() if "ModSecurity: " in l]
        bad = [l for l in lines if '[unique_id "' not in l or not l.endswith('"]') or '[id "' not in l]
        assert len(lines) > 10 and not bad, (len(lines), bad[:2])


if __name__ == "__main__":
    main()
