#!/usr/bin/env python3
"""Evidence of a flood, kept by the running watch: requests that a rule blocks, as fast as this machine's nginx answers them, and how long
the longest record was not sealed and not signed meanwhile.

Usage: witness.py BUILD [--json] [--quick] [--seconds N] [--clients N] [--dir DIR]     DIR: where the log is; /tmp without it
"""
import argparse
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

BURST = 100
ASKED = b"GET /?q=evil HTTP/1.1\r\nHost: a.test\r\nUser-Agent: bench\r\n\r\n"
RULE = "SecRuleEngine On\nSecAuditEngine Off\nSecRule ARGS \"@contains evil\" \"id:100,phase:2,deny,status:403,nolog\"\n"


def flood(port, until, sent):
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        answers = connection.makefile("rb", buffering=1 << 16)
        while time.monotonic() < until:
            connection.sendall(ASKED * BURST)
            for _ in range(BURST):
                length = 0
                if b" 403 " not in answers.readline():
                    raise SystemExit("a request was not blocked")
                while (line := answers.readline()) not in (b"\r\n", b""):
                    length = int(line.split()[1]) if line.lower().startswith(b"content-length:") else length
                answers.read(length)
            sent.append(BURST)


def cpu_s(pid):
    """Of all its threads, those that have ended among them."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(build, options):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "nginx"))
    sys.argv = [sys.argv[0], str(build / "ngx_http_guia_module.so")]
    import harness  # pylint: disable=import-outside-toplevel
    folder = pathlib.Path(tempfile.mkdtemp(prefix="guia-witness-", dir=options.dir))
    port = harness.free_port()
    gate = harness.Gate("", workers=1, start=False, files={"rules.conf": RULE, "html/page": b"a page"})
    gate.configure(f"""
keepalive_requests 100000000; access_log off; guia_events {gate.folder}/events; guia_bans {folder}/bans;
server {{ listen 127.0.0.1:{port}; guia_site a.test; guia on; guia_rules {gate.folder}/rules.conf; root {gate.folder}/html; location / {{ try_files /page =404; }} }}
""")
    (folder / "bans").mkdir()
    gate.start()
    watch = subprocess.Popen([build / "guia", "watch", "--run-dir", folder / "run", "--events", gate.folder / "events", "--bans", folder / "bans"],
                             stderr=subprocess.DEVNULL)

    def evidence():
        done = subprocess.run([build / "guia", "status", "--run-dir", folder / "run", "--json"], capture_output=True, check=False)
        return json.loads(done.stdout).get("evidence", {}) if done.returncode in (0, 1) else {}
    try:
        harness.wait_until(lambda: evidence().get("sealed"), "a record")
        sent, before, began, until = [], cpu_s(watch.pid), time.monotonic(), time.monotonic() + options.seconds
        clients = [threading.Thread(target=flood, args=(port, until, sent)) for _ in range(options.clients)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        took, spent, told = time.monotonic() - began, cpu_s(watch.pid) - before, evidence()
    finally:
        watch.terminate()
        watch.wait(30)
        gate.close()
    checked = subprocess.run([build / "guia", "evidence", "verify", folder / "bans" / "evidence"], capture_output=True, text=True, check=False)
    blocks = next((int(line.split()[0]) for line in checked.stdout.splitlines() if line.endswith(" block")), 0)
    shutil.rmtree(folder)
    return {"figure": "witness", "row": "a flood", "requests_per_s": sum(sent) / took, "blocks": blocks, "requests": sum(sent),
            "unsealed_ms": told["longest_unsealed_ms"], "unsigned_ms": told["longest_unsigned_ms"], "lost": told["lost"],
            "cpu_percent": 100 * spent / took, "verify": checked.returncode}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--dir", default="/tmp")
    options = parser.parse_args()
    if options.quick:
        options.seconds = 0.5
    told = measure(options.build.resolve(), options)
    if options.json:
        print(json.dumps(told))
    else:
        print("{requests_per_s:.0f} blocked requests/s, {blocks} of {requests} a record each; longest unsealed {unsealed_ms:.1f} ms, unsigned "
              "{unsigned_ms:.1f} ms; {lost} lost; the watch took {cpu_percent:.0f} % of a CPU".format(**told))
    return 0 if told["verify"] == 0 else 1


sys.exit(main())
