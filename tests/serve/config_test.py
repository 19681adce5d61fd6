"""What guia serve is told: everything that is not as it should be is refused with its place, and nothing gets through. TAP."""
import contextlib
import json
import os
import signal
import socket
import subprocess

from harness import FOLDER, GUIA, RULE_FILE, PATIENCE, Origin, Serve, case, free_port, guia, main, site, wait_for, write

GOOD = f"listen: 127.0.0.1:{free_port()}\nrules: {RULE_FILE}\nsites:\n  - host: a.test\n    origin: http://127.0.0.1:1\n"
SITE_A = ("--site", "a.test=http://127.0.0.1:1")
PEM, OTHER_KEY = FOLDER / "both.pem", FOLDER / "other.pem"
for pem, words in ((PEM, ("req", "-x509", "-keyout", PEM, "-out", FOLDER / "public.pem", "-subj", "/CN=a.test")),
                   (OTHER_KEY, ("req", "-x509", "-keyout", OTHER_KEY, "-out", "/dev/null", "-subj", "/CN=a.test"))):
    subprocess.run(["openssl", *words, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"], check=True,
                   capture_output=True)
PEM.write_bytes(PEM.read_bytes() + (FOLDER / "public.pem").read_bytes())


def check(text, code):
    """What guia check says of a configuration, which may be bytes."""
    path = FOLDER / "told.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return guia("check", "-c", str(path), code=code)


@case
def bad_configuration_is_refused_with_its_place():
    good = "sites:\n  - host: a.test\n    origin: http://127.0.0.1:1\n"
    cases = [
        (good + "lisen: 80\n", ":4:1:", "unknown key `lisen`"), (good + "detect: 3\n", ":4:9:", "true or false"),
        ("sites:\n  - hots: a\n    origin: http://1.2.3.4\n", ":2:5:", "unknown key `hots`"),
        ("sites:\n  - host: a.test\n", ":2:5:", "needs `origin`"), ("sites: a\n", ":1:8:", "list of sites"),
        (good + "workers: many\n", ":4:10:", "number"), (good + "listen: 1.2.3.4:99999\n", ":4:9:", "address"),
        (good + "trusted_proxies: [10.0.0.0/33]\n", ":4:19:", "network"), ("a: [\n", ":2:1:", ""), ("", ":1:1:", "sites"),
        (good + "certificate: c.pem\n", ":4:1:", "`key` is missing"),
        (good + good.replace("sites:\n", ""), ":4:11:", "two sites"),
        (good + "rules: /nowhere.conf\nlisten: 127.0.0.1:1\n", ":4:8:", "`rules`: /nowhere.conf: No such file"),
        (good + "rules_before: [/dev/null, here]\n", ":4:27:", f"`rules_before`: {FOLDER}/here: No such file"),
        (good + "    rules: gone.conf\n", ":4:12:", "gone.conf: No such file"), (good + "rules: /\n", ":4:8:", "Is a directory"),
        (good + f"certificate: {PEM}\nkey: {RULE_FILE}\n", f":5:6:", "no private key"),
        (good + f"certificate: {RULE_FILE}\nkey: {PEM}\n", f":4:14:", "no certificate in PEM"),
        (good + f"certificate: {PEM}\nkey: {OTHER_KEY}\n", f":5:6:", "not the certificate's"),
        (good + "listen: [127.0.0.1:1, 127.0.0.1:1]\n", ":4:23:", "named once"),
        (good + "listen: [1, 0.0.0.0:1]\n", ":4:13:", "named once"),
        (good + "listen: 1\nlisten_tls: 0.0.0.0:1\n", ":5:13:", "`listen` has 0.0.0.0:1 too"),
        (good + "listen: [2, \"[::1]:1\"]\nlisten_tls: \"[0::1]:1\"\n", ":5:13:", "`listen` has [0::1]:1 too"),
        *((good + f"screen: {wrong}\n", ":4:9:", "machine alone") for wrong in ("0.0.0.0:9180", "192.0.2.1:9180", "on", "9180", "[]", "localhost:9180",
                                                                                 '"off"')),
        (good + "listen: 127.0.0.1:1\nlisten_tls: 127.0.0.1:1\n", ":5:13:", "`listen` has 127.0.0.1:1 too"),
    ]
    for text, place, part in cases:
        path = write("bad.yaml", text)
        err = guia("check", "-c", path, code=2)
        assert place in err and part in err, (text, err)
    assert "No such file" in guia("serve", "-c", "/nowhere.yaml", code=2)


@case
def nothing_can_be_injected():
    for character in list(";{}$'\"\\# \t\n\0`"):
        for before, after in (("a", "b"), ("", "")):
            text = before + character + after
            escaped = "".join(f"\\x{ord(c):02x}" if not c.isalnum() else c for c in text)
            for yaml in (f'sites:\n  - host: "{escaped}.test"\n    origin: http://127.0.0.1:1\n',
                         f'sites:\n  - host: a.test\n    origin: "http://h{escaped}:1"\n',
                         f'rules: "/x{escaped}"\nsites:\n  - host: a.test\n    origin: http://127.0.0.1:1\n',
                         f'listen: "80{escaped}"\nsites:\n  - host: a.test\n    origin: http://127.0.0.1:1\n'):
                err = guia("check", "-c", write("inject.yaml", yaml), code=2)
                assert "inject.yaml:" in err, (yaml, err)
            if character != "\0":
                guia("serve", "--site", f"{text}.test=http://127.0.0.1:1", code=2)
                guia("serve", "--site", f"a.test=http://x{text}", code=2)


def host(text):
    return GOOD.replace("a.test", text)


def origin(text):
    return GOOD.replace("http://127.0.0.1:1", text)


@case
def hosts_are_names_in_lower_case():
    for good in ("localhost", "xn--55qx5d.mo", '"*.a.test"', "[a.test, b.test]", "a_b.test", "127.0.0.1", "'123'", "'true'"):
        check(host(good), 0)
    for bad in ("\u653f\u5e9c.mo", "a.test:80", "A.TEST", '"*"', '"*.*.a"', "a..b", ".a", "a.", '"[::1]"', "~^x", "_", "a.test,b",
                "a" * 64 + ".mo", "a/b", "-a", "a-", '""', "null", "~", "true", "123", "[]", "[a, [b]]", "{a: b}",
                "[a.test, a.test]", ".".join(["a" * 60] * 5), '"a\\u00e9"', '"a\\u200b"'):
        err = check(host(bad), 2)
        assert "told.yaml:4:" in err and ("host" in err), (bad, err)
    assert "xn--" in check(host("\u653f\u5e9c.mo"), 2)


@case
def origins_are_addresses():
    for good in ("http://[::1]", "http://[::1]:8080", "https://127.0.0.1", "http://localhost:65535", "'http://127.0.0.1:1'"):
        check(origin(good), 0)
    for bad in ("http://[::1", "http://[::1]x", "'http://[::1]:'", "'http://[fe80::1%lo]:80'", "http://a/path", "http://u@h",
                "http://1.2.3.4:0", "'http://1.2.3.4:'", "http://1.2.3.4:80:80", "http://:80", "HTTP://a", "unix:/x", "http://a?b",
                "'http://a#b'", "http://a..b", "http://\u653f\u5e9c", '"http://a "', "http://-a", "5", "null", "[http://a]", "''",
                "http://1.2.3.4:65536", "http://1.2.3.4:80x", "//a", "http://", "https:// a", "http://[1.2.3.4]"):
        err = check(origin(bad), 2)
        assert "told.yaml:5:" in err and "origin" in err and "hint:" in err, (bad, err)


@case
def an_origin_that_is_guia_itself_is_refused_with_its_place():
    port, other = free_port(), free_port()
    anywhere, six = f"0.0.0.0:{port}", f'"[::]:{port}"'
    loops = (("127.0.0.1:{}", "127.0.0.1:{}"), (anywhere, "127.0.0.1:{}"), (str(port), "127.9.8.7:{}"), (anywhere, "0.0.0.0:{}"),
             (anywhere, "LocalHost:{}"), (anywhere, "127.1:{}"), (anywhere, "[::ffff:127.0.0.1]:{}"), (six, "[::1]:{}"), (six, "[::]:{}"),
             ("192.0.2.1:{}", "192.0.2.1:{}"), ('"[::1]:{}"', "[0:0::1]:{}"), (f"[127.0.0.1:{other}, {anywhere}]", "127.0.0.1:{}"))
    for listen, asked in loops:
        text = origin(f'"http://{asked.format(port)}"').replace(GOOD.partition("\n")[0], f"listen: {listen.format(port)}")
        err = check(text, 2)
        for part in ("told.yaml:5:13: error: ", f"the origin http://{asked.format(port)} of a.test is Guia itself, which listens at ", "hint:"):
            assert part in err, (listen, asked, err)
    for listen, asked in ((anywhere, "127.0.0.1:{}"), (anywhere, "[::1]:{}"), ("127.0.0.1:{}", "127.0.0.2:{}"), ("127.0.0.1:{}", "192.0.2.1:{}"),
                          ("127.0.0.2:{}", "0.0.0.0:{}"), (anywhere, "192.0.2.1:{}")):
        wanted = other if (listen, asked) == (anywhere, "127.0.0.1:{}") else port
        check(origin(f'"http://{asked.format(wanted)}"').replace(GOOD.partition("\n")[0], f"listen: {listen.format(port)}"), 0)


@case
def what_has_the_usual_port_and_the_screen_is_guia_too():
    port = free_port()
    tls = f"listen_tls: 0.0.0.0:{port}\ncertificate: {PEM}\nkey: {PEM}\n"
    assert "listens at 0.0.0.0:" in check(tls + origin(f"https://127.0.0.1:{port}"), 2)
    assert f"listens at 127.0.0.1:{port}" in check(f"screen: 127.0.0.1:{port}\n" + origin(f"http://127.0.0.1:{port}"), 2)
    for usual, asked in ((80, "http://127.0.0.1"), (443, "https://127.0.0.1")):
        assert f"listens at {usual}" in check(origin(asked).replace(GOOD.partition("\n")[0], f"listen: {usual}"), 2)
    err = guia("serve", "--listen", f"127.0.0.1:{port}", "--site", f"a.test=http://127.0.0.1:{port}", code=2)
    assert err.startswith("error: ") and "of a.test is Guia itself" in err, err
    more = "".join(f"  - host: h{n}.test\n    origin: http://127.0.0.1:{port}\n" for n in range(3))
    err = check(GOOD.replace(GOOD.partition("\n")[0], f"listen: 127.0.0.1:{port}") + more, 2)
    assert [f"told.yaml:{line}:13:" in err for line in (5, 7, 9, 11)] == [False, True, True, True], "all are told at once: " + err


@case
def wrong_types_are_refused_with_their_place():
    for line in ("detect: 'true'", "detect: [true]", "detect: 1", "workers: 1e3", "workers: 0x10", "workers: -1", "workers: '4'",
                 "workers: 513", "workers: 99999999999999999999", "workers: [4]", "run_dir: [a]", "run_dir: a b", "run_dir: true",
                 "trusted_proxies: all", "home_networks: MO", "home_networks: [192.0.2.1/24]", "trusted_proxies: [10.0.0.0/8, x]", "trusted_proxies: 10.0.0.0/-1",
                 "drain_seconds: 10s", "body_limit_mb: 0", "rules_before: null", "rules_before: {a: b}", "rules_before: 5",
                 "certificate:", "https_only: maybe", "listen_tls: localhost:443", "listen_tls: '[::1]'"):
        err = check(GOOD + line + "\n", 2)
        assert f"told.yaml:6:" in err and "hint:" in err, (line, err)
    for text, place in (("", ":1:1:"), ("just text", ":1:1:"), ("- a\n", ":1:1:"), ("# nothing\n", ":1:1:"), ("sites: [[]]", ":1:9:"),
                        ("sites:\n  - a\n", ":2:5:"), ("sites:\n  - {}\n", ":2:5:"), ("sites:\n  -\n", ":2:4:")):
        assert place in check(text, 2), text


@case
def what_is_no_plain_yaml_is_refused():
    for text, place in ((GOOD + "\tdetect: true\n", ":6:1:"), (GOOD + "listen: 1\n", ":6:1:"), (GOOD + "<<: {detect: true}\n", ":6:1:"),
                        (GOOD + "? [a]\n: b\n", ":6:3:"), (GOOD + "    detect: true\n    detect: true\n", ":7:5:"),
                        ("a: &a [x]\nb: [*a]\n", ":2:5:"), ("!!python/object:os.system {}\n", ":1:1:"),
                        ("sites: !!str a\n", ":1:8:"), ("%YAML 3.0\n---\n" + GOOD, ":1:1:"), ("---\n" + GOOD + "---\n" + GOOD, ":7:1:"),
                        (GOOD + "rules_before: /\0\n", ":6:16:"), ("[" * 100000, ":1:33:"), (b"\xff\xfe\x00", ""),
                        (b"sites: \xe9\n", ":1:8:"), (bytes(range(256)) * 40, ":1:1:"),
                        ("".join(f"k{n}: 1\n" for n in range(20000)), "more keys")):
        err = check(text, 2)
        assert place in err, (text[:200], err[:500])
        assert not [c for c in err if ord(c) < 32 and c not in "\n\t"], "control bytes reach no terminal"
    bomb = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
    assert ":2:10:" in check(bomb, 2)
    check("\ufeff" + GOOD, 0)
    check(GOOD.replace("\n", "\r\n"), 0)


@case
def check_of_sites_answers_programs():
    words = [GUIA, "check", "--site", "a.test=http://127.0.0.1:1", "--listen", f"127.0.0.1:{free_port()}", "--json"]
    done = subprocess.run(words, capture_output=True, check=False, timeout=300)
    told = json.loads(done.stdout)
    assert (done.returncode, told["configuration"]) == (0, "fine")
    assert told["sites"] == [{"site": "a.test", "detect": False, "rule_set": 0}]


MANY = GOOD + """  - {host: b.test, origin: "http://127.0.0.1:1", rules: more.conf}
  - {host: c.test, origin: "http://127.0.0.1:1"}
  - {host: "*.d.test", origin: "http://127.0.0.1:1", detect: true}
"""
MORE = 'SecRule ARGS:late "@streq 1" "id:77,phase:4,deny"\nSecMarker END\n'


@case
def check_counts_the_rules_of_each_site():
    write("more.conf", MORE)
    path = write("many.yaml", MANY)
    one = json.loads(subprocess.run([GUIA, "check", "--rules", RULE_FILE, "--json"], capture_output=True, check=True).stdout)
    told = json.loads(subprocess.run([GUIA, "check", "-c", path, "--json"], capture_output=True, check=True).stdout)
    assert [s["rule_set"] for s in told["sites"]] == [0, 1, 0, 2] and told["sites"][3]["detect"] is True
    first, second, third = told["rule_sets"]
    assert first["rules"] == one["rules"] == sum(first["by_phase"]) == sum(first["when_loaded"].values()) == third["rules"]
    assert second["rules"] == one["rules"] + 1 and second["by_phase"][3] == one["by_phase"][3] + 1
    text = subprocess.run([GUIA, "check", "-c", path], capture_output=True, check=True).stdout.decode()
    for part in ("4 sites, 3 different rule sets", "\na.test, c.test:\n", "\nb.test:\n", "in 5\n", "by every request\n"):
        assert part in text, (part, text)


@case
def rules_that_are_wrong_are_told_with_their_place():
    more = write("more.conf", MORE + 'SecRule ARGS "@rx (" "id:78,phase:2,deny"\n')
    err = guia("check", "-c", write("many.yaml", MANY), code=2)
    assert f"{more}:3:20: error: " in err and "nginx" not in err, err


@case
def a_request_is_judged_by_the_rules_of_its_site():
    write("more.conf", 'SecRule ARGS:q "@streq odd" "id:79,phase:2,deny,status:404,log"\n')
    path = write("many.yaml", MANY)
    hosts = ("a.test", "b.test:81", "B.Test.", "x.d.test", "d.test", "other")
    files = [write(f"host{n}.http", f"GET /?q=odd HTTP/1.1\r\nHost: {host}\r\n\r\n") for n, host in enumerate(hosts)]
    done = subprocess.run([GUIA, "inspect", "-c", path, *files], capture_output=True, check=True)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert [s["status"] for s in said] == [200, 404, 404, 200, 444, 444], said
    assert said[4]["verdict"] == "refused" and "Host" in said[4]["reason"]
    for file, part in ((files[1], b"Blocked with status 404 by rule 79"), (files[0], b"Passed"), (files[5], b"no site answers")):
        done = subprocess.run([GUIA, "explain", "-c", path, file], capture_output=True, check=True)
        assert part in done.stdout, done.stdout
    assert "-c or --rules" in guia("explain", "-c", path, "--rules", RULE_FILE, files[0], code=2)
    long = write("long.http", f"GET /?q={'x' * 15000} HTTP/1.1\r\nHost: a.test\r\n\r\n")
    large = write("large.http", f"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 14000000\r\n\r\n{'x' * 14000000}")
    done = subprocess.run([GUIA, "inspect", "-c", path, long, large], capture_output=True, check=True)
    assert [json.loads(line)["status"] for line in done.stdout.splitlines()] == [200, 413]


@case
def the_limit_of_bodies_is_the_rules_too():
    limit = write("limit.conf", "SecRequestBodyAccess On\nSecRequestBodyLimit 13631488\nSecRequestBodyLimitAction Reject\n")
    origin = Origin()
    for more, status in (("", 413), ("body_limit_mb: 15\n", 200)):
        text = f"{more}rules_before: {limit}\nsites:\n  - host: a.test\n    origin: http://127.0.0.1:{origin.port}\n"
        with Serve(text) as serve:
            found = serve.curl("http://a.test:PORT/", "--resolve", f"a.test:{serve.port}:127.0.0.1", "-H", "Expect:",
                               "-H", "Content-Type: application/octet-stream", "--data-binary", "@-", data=b"x" * (14 << 20))
            assert found[0] == status, (more, found)
    origin.stop()


@case
def files_that_are_none_are_told():
    huge = FOLDER / "huge.yaml"
    huge.write_bytes(b"#" * (17 << 20))
    assert "too large" in guia("check", "-c", str(huge), code=3)
    assert "Is a directory" in guia("check", "-c", str(FOLDER), code=2)
    assert "No such file" in guia("check", "-c", str(FOLDER / "nothing.yaml"), code=2)


@case
def a_wrong_line_of_a_long_list_is_told_and_one_too_long_too():
    def lines(count, wrong):
        return "".join("10.0.0.999\n" if n == wrong else f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}\n" for n in range(count))
    assert "wrong.txt:100001: wrong" in check(f"home_lists: {write('wrong.txt', lines(120000, 100000))}\n" + GOOD, 2)
    for name, count in (("longer.txt", 140000), ("longest.txt", 1000000)):
        said = check(f"home_lists: {write(name, lines(count, count - 1))}\n" + GOOD, 2)
        assert f"{name}" in said and "too long for a list" in said and "131072 networks and 8 MB at most" in said, said


@case
def thousands_of_sites_are_read():
    text = GOOD + "".join(f"  - host: h{n}.test\n    origin: http://127.0.0.1:1\n" for n in range(3000))
    said = check(text, 0)
    assert "tells 254 sites apart and there are 3001" in said and "from h253.test on" in said, said[:2000]
    assert "sites apart" not in check(GOOD + text.partition(GOOD)[2].partition("  - host: h253.test")[0], 0)
    assert "two sites" in check(text + "  - host: h77.test\n    origin: http://127.0.0.1:1\n", 2)


@case
def a_host_is_found_by_its_name_alone():
    one, two = Origin(), Origin()
    with Serve(f"sites:\n  - host: [a.test, c.test]\n    origin: http://127.0.0.1:{one.port}\n"
               f"  - host: '*.b.test'\n    origin: http://127.0.0.1:{two.port}\n") as gate:
        for name, port in (("a.test", one), ("A.TEST", one), ("c.test:8080", one), ("a.test.", one), ("x.b.test", two),
                           ("x.y.B.test", two)):
            path = "/" + name.replace(":", "-")
            assert gate.get(path, host=name)[0] == 200 and port.server.seen.count(path) == 1, name
        for name in ("b.test", "", "127.0.0.1", "xa.test", "a.test.evil", "_", "*", "origin_a.test", "~^", "a.tes", "a.test,b"):
            status = gate.curl("http://127.0.0.1:PORT/", "-H", f"Host: {name}" if name else "Host;")[0]
            assert status in (0, 400), (name, status)
        status, _, head = gate.curl("http://127.0.0.1:PORT/", "--http1.0", "-H", "Host:")
        assert status == 0, head
        status = gate.curl("http://127.0.0.1:PORT/", "-H", "Host: a.test", "--request-target", "http://evil.test/")[0]
        assert status == 0, "the host of an absolute URI goes first, and is unknown"
    one.stop()
    two.stop()


@case
def check_tells_who_has_an_address():
    with socket.socket() as taken:
        port = free_port()
        taken.bind(("127.0.0.1", port))
        taken.listen()
        for listen in (f"127.0.0.1:{port}", f"0.0.0.0:{port}", str(port)):
            said = guia("check", "--listen", listen, *SITE_A, code=1)
            assert f"guia: {listen} is taken by " in said and f"(process {os.getpid()})" in said, said
        assert "is taken" not in guia("check", "--listen", f"127.0.0.2:{port}", *SITE_A, code=0)
        done = subprocess.run([GUIA, "check", "--json", "--listen", f"127.0.0.1:{port}", "--listen", f"127.0.0.2:{port}", *SITE_A],
                              capture_output=True, check=False, timeout=300)
        told = json.loads(done.stdout)["taken"]
        assert done.returncode == 1 and len(told) == 1, done
        assert (told[0]["listen"], told[0]["pid"], told[0]["gate"]) == (f"127.0.0.1:{port}", os.getpid(), ""), told
    if not has_ipv6():
        return
    with socket.socket(socket.AF_INET6) as both:
        port = free_port("::")
        both.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        both.bind(("::", port))
        both.listen()
        for listen in (f"127.0.0.1:{port}", f"[::1]:{port}"):
            assert f"(process {os.getpid()})" in guia("check", "--listen", listen, *SITE_A, code=1), listen


def has_ipv6():
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


@case
def an_address_of_the_gate_that_would_be_reloaded_is_free_to_it():
    origin = Origin()
    with Serve(site(origin)) as gate, socket.socket() as other:
        done = subprocess.run([GUIA, "check", "-c", gate.config], capture_output=True, check=False, timeout=300)
        assert done.returncode == 0 and f"the gate that serves from {gate.run} listens there\n" in done.stdout.decode(), done
        apart = guia("check", "-c", gate.config, "--run-dir", str(gate.run) + "-other", code=1)
        assert f"guia: 127.0.0.1:{gate.port} is taken by nginx (process " in apart, apart
        done = subprocess.run([GUIA, "check", "-c", gate.config, "--listen", str(gate.port)], capture_output=True, check=False, timeout=300)
        assert done.returncode == 0 and b"listens there at another address: restart it" in done.stdout, done
        other.bind(("127.0.0.2", gate.port))
        other.listen()
        said = guia("check", "-c", gate.config, "--listen", f"127.0.0.1:{gate.port}", "--listen", f"127.0.0.2:{gate.port}", code=1)
        assert "127.0.0.1" not in said and f"127.0.0.2:{gate.port} is taken by " in said, said
        assert f"(process {os.getpid()})" in guia("check", "-c", gate.config, "--listen", str(gate.port), code=1), "of two the other is told"
        assert gate.get("/")[0] == 200
    (gate.run / "nginx.pid").write_text(f"{os.getpid()}\n")
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", gate.port))
        taken.listen()
        said = guia("check", "-c", gate.config, code=1)
        assert f"(process {os.getpid()})" in said, "what a gate left names anybody: " + said
    origin.stop()


@case
def a_gate_in_a_fresh_folder_is_known_too():
    port, temp = free_port(), FOLDER / "fresh"
    temp.mkdir(mode=0o755)
    words = ["--listen", f"127.0.0.1:{port}", *SITE_A]
    env = {**os.environ, "TMPDIR": str(temp)}
    with open(FOLDER / "fresh.err", "wb") as err:
        gate = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", GUIA, "serve", *words], stderr=err, env=env)
    try:
        said = (FOLDER / "fresh.err").read_text
        wait_for(lambda: "serving" in said() or gate.poll() is not None, "the start", seen=said)
        done = subprocess.run([GUIA, "check", *words], capture_output=True, check=False, timeout=300, env=env)
        run, = temp.glob("guia-??????")
        assert done.returncode == 0 and f"the gate that serves from {run} listens there" in done.stdout.decode(), done
        run.chmod(0o755)
        done = subprocess.run([GUIA, "check", *words], capture_output=True, check=False, timeout=300, env=env)
        assert done.returncode == 1 and b"is taken by nginx" in done.stderr, "what others might have made is not believed: " + str(done)
        run.chmod(0o700)
    finally:
        gate.send_signal(signal.SIGTERM)
        assert gate.wait(PATIENCE) == 0


if __name__ == "__main__":
    main()
