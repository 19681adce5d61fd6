"""guia serve with TLS: a certificate a site by SNI, HTTP/2, plain HTTP sent on, WebSocket; and who the client is. TAP."""
import json
import socket
import ssl
import subprocess

from harness import FOLDER, GUIA, Origin, Serve, case, free_port, guia, main, wait_for, write


def certificate(name):
    """A self-signed certificate and its key."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", FOLDER / f"{name}.key",
                    "-out", FOLDER / f"{name}.pem"], check=True, capture_output=True)
    (FOLDER / f"{name}.key").chmod(0o644)
    return FOLDER / f"{name}.pem"


CERTIFICATES = {name: certificate(name) for name in ("a.test", "b.test", "all.test")}


def tls_site(name, origin, more=""):
    return f"  - host: {name}\n    origin: http://127.0.0.1:{origin.port}\n    certificate: {FOLDER}/{name}.pem\n" \
           f"    key: {FOLDER}/{name}.key\n{more}"


def to(gate, name, port, *words):
    """curl, resolving a name to loopback and trusting only that name's certificate."""
    return gate.curl(f"https://{name}:{port}/", "--resolve", f"{name}:{port}:127.0.0.1", "--cacert", CERTIFICATES[name],
                     *words)


@case
def each_site_shows_its_own_certificate_and_unknown_names_none():
    one, two, port = Origin(), Origin(), free_port()
    text = f"listen_tls: 127.0.0.1:{port}\nsites:\n" + tls_site("a.test", one) + tls_site("b.test", two) + \
           f"  - host: plain.test\n    origin: http://127.0.0.1:{one.port}\n"
    with Serve(text) as gate:
        for name in ("a.test", "b.test"):
            for version in ("--http1.1", "--http2"):
                status, body, head = to(gate, name, port, version)
                assert status == 200 and f"host {name}" in body and "proto https" in body, (status, body)
                assert head.startswith("HTTP/2" if version == "--http2" else "HTTP/1.1"), head
            assert to(gate, name, port, "-G", "-d", "q=evil")[0] == 403
        assert two.server.seen and one.server.seen
        for name in ("c.test", "plain.test", None):
            context = ssl._create_unverified_context()
            try:
                with socket.create_connection(("127.0.0.1", port)) as s, context.wrap_socket(s, server_hostname=name):
                    raise AssertionError(f"{name} got a handshake")
            except ssl.SSLError as error:
                assert "unrecognized name" in str(error).lower().replace("_", " "), error
        # one name in the handshake, another in the request
        assert gate.curl(f"https://a.test:{port}/", "--resolve", f"a.test:{port}:127.0.0.1", "-k", "-H",
                         "Host: c.test")[0] == 0
        for old in ("1.0", "1.1"):
            assert to(gate, "a.test", port, "--tls-max", old, "--tlsv" + old)[0] == 0, old
    one.stop()
    two.stop()


@case
def plain_http_is_sent_on_to_tls_but_for_certificates_or_if_not_wanted():
    origin, port = Origin(), free_port()
    with Serve(f"listen_tls: 127.0.0.1:{port}\nsites:\n" + tls_site("a.test", origin) +
               tls_site("b.test", origin, "    https_only: false\n") +
               f"  - host: plain.test\n    origin: http://127.0.0.1:{origin.port}\n") as gate:
        status, _, head = gate.get("/x?y=1")
        assert status == 308 and head["Location"] == f"https://a.test:{port}/x?y=1", (status, head["Location"])
        wait_for(lambda: (gate.run / "access.log").exists() and '"uri":"/x?y=1","status":308' in
                 (gate.run / "access.log").read_text(), "its line")
        assert gate.get("/.well-known/acme-challenge/token")[0] == 200
        assert gate.get("/", host="b.test")[0] == 200 and gate.get("/", host="plain.test")[0] == 200
    origin.stop()


@case
def the_certificate_at_the_top_serves_all():
    origin, port = Origin(), free_port()
    with Serve(f"listen_tls: 127.0.0.1:{port}\ncertificate: all.test.pem\nkey: all.test.key\nsites:\n"
               f"  - host: all.test\n    origin: http://127.0.0.1:{origin.port}\n") as gate:
        assert to(gate, "all.test", port)[0] == 200
    origin.stop()


@case
def bad_certificates_are_told():
    good = "    origin: http://127.0.0.1:1\n"
    for cert, key, part in (("a.test.pem", "b.test.key", "yaml:8:10: error: "), ("nothing.pem", "a.test.key", "nothing.pem"),
                            ("rules.conf", "a.test.key", "yaml:7:18: error: "), ("a.test.pem", "a.test.pem", "a.test.pem")):
        text = f"listen: 127.0.0.1:{free_port()}\nlisten_tls: 127.0.0.1:{free_port()}\nrules: rules.conf\nsites:\n" \
               f"  - host: a.test\n{good}    certificate: {cert}\n    key: {key}\n"
        err = guia("check", "-c", write("cert.yaml", text), code=2)
        assert part in err, (cert, key, err)
    text = f"listen: 127.0.0.1:{free_port()}\nlisten_tls: 127.0.0.1:{free_port()}\nrules: rules.conf\nsites:\n" + "".join(
        f"  - host: {name}\n{good}    certificate: a.test.pem\n    key: {key}\n" for name, key in (("a.test", "a.test.key"), ("c.test", "b.test.key")))
    err = guia("check", "-c", write("cert.yaml", text), code=2)
    assert "yaml:12:10: error: " in err, ("one certificate, two keys", err)


@case
def websockets_pass_over_http_and_over_tls():
    origin, port = Origin(), free_port()
    ask = b"GET /ws%s HTTP/1.1\r\nHost: b.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" \
          b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    with Serve(f"listen_tls: 127.0.0.1:{port}\nsites:\n" + tls_site("b.test", origin, "    https_only: false\n")) as gate:
        context = ssl._create_unverified_context()
        ways = (lambda s: s, lambda s: context.wrap_socket(s, server_hostname="b.test"))
        for wrap in ways:
            for query, answer in ((b"", b" 101 "), (b"?q=evil", b" 403 ")):
                with wrap(socket.create_connection(("127.0.0.1", gate.port if wrap is ways[0] else port), 20)) as s:
                    s.sendall(ask % query)
                    got = s.recv(4096)
                    assert answer in got.split(b"\r\n")[0], got
                    if query:
                        continue
                    message = b"evil message " * 10000
                    s.sendall(message)
                    got = b""
                    while len(got) < len(message):
                        got += s.recv(65536)
                    assert got == message
    origin.stop()


@case
def the_client_is_the_nearest_that_is_not_trusted():
    origin = Origin()
    site = f"sites:\n  - host: a.test\n    origin: http://127.0.0.1:{origin.port}\n"
    rules = write("address.conf", 'SecRuleEngine On\nSecRule REMOTE_ADDR "@ipMatch 203.0.113.9" "id:1,phase:1,deny,status:402"\n')
    with Serve(f"trusted_proxies: [127.0.0.0/8, 10.0.0.0/8]\nrules_before: {rules}\n" + site) as gate:
        def seen(forwarded):
            status, body, _ = gate.get("/?" + forwarded.replace(" ", ""), X_Forwarded_For=forwarded)
            return status if status != 200 else body.split(" for ")[1].split(" ")[0]
        assert seen("198.51.100.7") == "198.51.100.7"
        assert seen("198.51.100.7, 10.1.2.3") == "198.51.100.7"
        assert seen("6.6.6.6, 198.51.100.7, 10.1.2.3") == "198.51.100.7", "what the client wrote itself is not believed"
        assert seen("198.51.100.7, 6.6.6.6") == "6.6.6.6", "read from the right"
        assert seen("nonsense") == "127.0.0.1"
        assert seen("2001:db8::7") == "2001:db8::7"
        assert seen("198.51.100.7, 203.0.113.9, 10.0.0.1") == 402, "rules see the same"
        assert seen("203.0.113.9, 198.51.100.7") == "198.51.100.7"
    with Serve(f"rules_before: {rules}\n" + site) as gate:
        assert gate.get("/", X_Forwarded_For="203.0.113.9")[0] == 200, "nobody is trusted unless it is said"
    origin.stop()


@case
def the_watch_fetches_each_site_as_its_visitors_do():
    origin, port = Origin(), free_port()
    text = f"listen_tls: 127.0.0.1:{port}\nsites:\n" + tls_site("a.test", origin, "    https_only: true\n") + \
           tls_site("b.test", origin) + f"  - host: '*.plain.test'\n    origin: http://127.0.0.1:{origin.port}\n"
    with Serve(text) as gate:
        def told():
            done = subprocess.run([GUIA, "status", "-c", gate.config, "--json"], capture_output=True, check=False, timeout=300)
            return json.loads(done.stdout) if done.returncode == 0 else None
        sites = {site["site"]: site for site in wait_for(told, "all up")["sites"]}
        assert all(sites[name]["probe"]["status"] == 200 for name in ("a.test", "b.test", "www.plain.test")), sites
    origin.stop()


if __name__ == "__main__":
    main()
