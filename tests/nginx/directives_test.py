"""The module's directives: what nginx -t accepts and refuses, how levels merge, what the module exports."""
import pathlib
import subprocess

from harness import MODULE, Gate, case, curl, debian_modsecurity, free_port, main, wait_until

PORT = free_port()
RULE = 'SecRule REQUEST_URI "@contains {0}" "id:{1},phase:1,deny,status:{2},log,t:none"\n'
ON = "SecRuleEngine On\n"


def check(http, files=None):
    gate = Gate(http, files=files, start=False)
    accepted, said = gate.check()
    gate.close()
    return accepted, said.replace(str(gate.folder), "F")


def server(text):
    return f"server {{ listen 127.0.0.1:{PORT}; {text} location / {{ return 200; }} }}"


def refused(http, *needles, files=None):
    accepted, said = check(http, files)
    assert not accepted, said
    for needle in needles:
        assert needle in said, (needle, said)
    assert "[emerg]" in said, said


@case("a rule file that is right is accepted")
def _():
    accepted, said = check(server("guia on; guia_rules rules.conf;"),
                           {"rules.conf": ON + RULE.format("a", 1, 403)})
    assert accepted, said


@case("an error in a rule file is told with file, line and column, and nginx's own file and line")
def _():
    refused(server("guia on; guia_rules rules.conf;"), "F/rules.conf:3:", " in F/nginx.conf:",
            files={"rules.conf": ON + RULE.format("a", 1, 403) + 'SecRuul REQUEST_URI "@contains a" "id:2"\n'})


@case("an error in rules within nginx's configuration is told with the line there")
def _():
    text = "server {\nlisten 127.0.0.1:%d;\nguia on;\nguia_rules '\n%s\nSecRuul x\n';\n}" % (PORT, ON)
    gate = Gate(text, start=False)
    accepted, said = gate.check()
    line = gate.config.read_text().split("\n").index("SecRuul x") + 1
    assert not accepted and f"nginx.conf:{line}:" in said, (line, said)


@case("the example of the README is accepted as it stands")
def _():
    root = pathlib.Path(__file__).resolve().parent.parent.parent
    example = (root / "nginx" / "README.md").read_text().split("```nginx\n")[1].split("```")[0]
    http = example.split("http {\n", 1)[1].rstrip().removesuffix("}")
    for there, here in (("/etc/guia/recommended.conf", str(root / "rules" / "guia-recommended.conf")),
                        ("/var/cache/guia", "cache"), ("server_name ", f"listen 127.0.0.1:{PORT}; server_name ")):
        assert there in http, there
        http = http.replace(there, here)
    accepted, said = check(http)
    assert accepted, said


@case("a name with wildcards is every file it matches")
def _():
    files = {"d/a.conf": ON + RULE.format("a", 1, 403), "d/b.conf": RULE.format("b", 2, 403)}
    accepted, said = check(server("guia on; guia_rules d/*.conf;"), files)
    assert accepted, said
    refused(server("guia on; guia_rules d/*.conf;"), "F/d/b.conf:1:", files={**files, "d/b.conf": "SecNonsense\n"})


@case("a missing rule file is told by name")
def _():
    refused(server("guia on; guia_rules nothing.conf;"), "F/nothing.conf", "[emerg]")


@case("guia on without rules is refused")
def _():
    refused(server("guia on;"), "guia is on, but there are no guia_rules")
    refused(f"guia_rules '{ON}';" + server("guia on; guia_rules none;"), "there are no guia_rules")


@case("rules of places where guia is off are not compiled")
def _():
    accepted, said = check(server("guia_rules nothing.conf;"))
    assert accepted, said


@case("wrong words are refused")
def _():
    rules = f"guia_rules '{ON}';"
    for text, needle in (("guia maybe;", '"maybe"'), ("guia_on_failure later;", '"later" is neither'),
                         ("guia_on_failure;", "number of arguments"), ("guia_site;", "number of arguments"),
                         ("guia_log_level debug;", 'invalid value "debug"'),
                         ("guia_request_body x;", '"x"'), ("guia_transaction_memory x;", "invalid value"),
                         ("guia_on_failure pass; guia_on_failure pass;", "is duplicate"),
                         ("guia_rules;", "number of arguments"), ("guia_cache_dir /x;", "not allowed here"),
                         ("guia_collections 1m;", "not allowed here"), ("guia_unknown on;", "unknown directive")):
        refused(rules + server(text), needle)
    refused("guia_collections 1k;", '"1k" is no size')
    refused("guia_collections 1m; guia_collections 1m;", "is duplicate")


@case("every directive is accepted at the levels it is for")
def _():
    text = ("guia on; guia_rules '" + ON + "'; guia_rules_before '# nothing'; guia_site a; guia_request_body off; "
            "guia_on_failure block pass; guia_transaction_memory 8m; guia_log_level warn; guia_limit source=1s;")
    accepted, said = check(f"guia_cache_dir cache; guia_collections 1m; guia_limits 1m; {text}" +
                           f"server {{ listen 127.0.0.1:{PORT}; {text} location / {{ {text} }} }}")
    assert accepted, said


MERGE = """
guia on;
guia_rules outer.conf;
server {{
    listen 127.0.0.1:{0};
    root {1};
    location /inherits {{ empty_gif; }}
    location /adds {{ guia_rules inner.conf; empty_gif; location /adds/more {{ guia_rules third.conf;
        empty_gif; }} }}
    location /first {{ guia_rules_before first.conf; empty_gif; }}
    location /afresh {{ guia_rules none inner.conf; empty_gif; }}
    location /text {{ guia_rules '{2}' '{3}'; empty_gif; }}
    location /off {{ guia off; empty_gif; }}
}}
"""


def status(path):
    return curl(f"http://127.0.0.1:{PORT}{path}").status


@case("an inner guia_rules adds, guia_rules_before goes first, none starts afresh")
def _():
    gate = Gate("", start=False, files={
        "outer.conf": ON + RULE.format("outer", 1, 401), "inner.conf": ON + RULE.format("inner", 2, 402),
        "third.conf": RULE.format("third", 3, 405), "first.conf": RULE.format("outer", 4, 406)})
    gate.configure(MERGE.format(PORT, gate.folder, RULE.format("text1", 5, 407), RULE.format("text2", 6, 409)))
    gate.start()
    expected = {"/inherits": 404, "/inherits?outer": 401, "/inherits?inner": 404,
                "/adds?outer": 401, "/adds?inner": 402, "/adds?third": 404,
                "/adds/more?outer": 401, "/adds/more?inner": 402, "/adds/more?third": 405,
                "/first?outer": 406, "/afresh?outer": 404, "/afresh?inner": 402,
                "/text?text1": 407, "/text?text2": 409, "/text?outer": 401, "/off?outer": 404}
    got = {path: status(path) for path in expected}
    gate.close()
    missing = 200  # what nothing denies
    assert got == {p: (missing if s == 404 else s) for p, s in expected.items()}, got


@case("a bad configuration at reload leaves the old one serving")
def _():
    gate = Gate(server("guia on; guia_rules rules.conf;").replace("return 200", "empty_gif"),
                files={"rules.conf": ON + RULE.format("evil", 1, 403)})
    assert status("/?evil") == 403
    gate.write("rules.conf", ON + "SecNonsense\n")
    import signal
    gate.signal(signal.SIGHUP)
    gate.logged("rules.conf:2:")
    assert status("/?evil") == 403
    gate.write("rules.conf", ON + RULE.format("other", 1, 403))
    gate.reload()
    wait_until(lambda: status("/?evil") == 200 and status("/?other") == 403, "the new rules")
    gate.close()


@case("the module exports what nginx asks for and nothing else")
def _():
    lines = subprocess.run(["nm", "-D", "--defined-only", MODULE], capture_output=True, text=True, check=True).stdout
    names = sorted(line.split()[-1] for line in lines.splitlines())
    assert names == ["ngx_module_names", "ngx_module_order", "ngx_modules"], names


@case("the module works beside Debian's ModSecurity module, loaded before or after")
def _():
    other = debian_modsecurity()
    text = (f"server {{ listen 127.0.0.1:{PORT}; "
            "location /ours { guia on; guia_rules '%s'; empty_gif; } "
            "location /theirs { modsecurity on; modsecurity_rules '%s'; empty_gif; } }"
            ) % (ON + 'SecRule ARGS "@detectSQLi" "id:1,phase:2,deny,status:403,log,t:none"',
                 ON + 'SecRule ARGS "@detectSQLi" "id:1,phase:2,deny,status:403,log,t:none"')
    for after in (False, True):
        gate = Gate("", start=False, modules=[] if after else [other])
        gate.configure(text, main=f"load_module {other};" if after else "")
        gate.start()
        attack = "?a=1'%20or%201=1%20--%20"
        assert [status(p) for p in ("/ours", "/theirs", "/ours" + attack, "/theirs" + attack)] == [200, 200, 403, 403]
        gate.close()


if __name__ == "__main__":
    main()
