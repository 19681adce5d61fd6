#!/usr/bin/env python3
"""The demonstration: four sample sites behind Guia, visitors and attacks, a table, one blocked request explained, evidence, a flood.

Usage: demo/run [--once] [--figures-aside]. Without --once it keeps serving until Ctrl-C. Exit 0 only if every line is as
it should be, 3 if something of the machine is in the way. With --figures-aside the flood is lost only if its visitors
were not answered: its other lines say how fast a defence came, are told, and decide nothing.
"""

import argparse
import contextlib
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from attacks import attacks
from sites import SITES
from visits import visits

HERE = pathlib.Path(__file__).resolve().parent
GUIA = pathlib.Path(os.environ.get("GUIA", HERE.parent / "build" / "guia"))
BUNDLE = GUIA.parent / "demo-bundle"
INCIDENT_SECONDS = 30
PATIENCE_SECONDS = 240  # the first start compiles the rules; later ones take them from the cache


def free_port():
    """Out of the range from which the kernel gives ports to connections that go out meanwhile."""
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", random.randrange(12000, 32000)))
            return probe.getsockname()[1]


def fail(message):
    print(f"demo: {message}", file=sys.stderr)
    sys.exit(3)


class Stage:
    """The origins and the gate, as processes of ours; ended by id, whatever happens."""

    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        self.processes = []

    def __enter__(self):
        origin = subprocess.Popen([sys.executable, HERE / "origin.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  text=True)
        self.processes.append(origin)
        self.origins = json.loads(origin.stdout.readline())
        config = self.folder / "guia.yaml"
        self.key, certificate = self.folder / "export.key", self.folder / "export.crt"
        if subprocess.run([GUIA, "evidence", "export-key", self.key, "-o", certificate], stdout=subprocess.DEVNULL, check=False).returncode != 0:
            fail("no key to which messages could be sealed")
        config.write_text(f"listen: 127.0.0.1:{self.port}\nevidence:\n  export_certificate: {certificate}\nsites:\n" + "".join(
            f"  - host: {site.host}\n    origin: http://127.0.0.1:{self.origins[site.key]}\n" for site in SITES))
        self.log = open(self.folder / "serve.log", "w+")
        self.gate = subprocess.Popen([GUIA, "serve", "-c", config], stdout=self.log, stderr=subprocess.STDOUT)
        self.processes.append(self.gate)
        self.wait_for_gate()
        return self

    def wait_for_gate(self):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if self.gate.poll() is not None:
                break
            try:
                if self.send(SITES[0], "GET", "/", (), b"")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        self.log.seek(0)
        fail("guia serve did not start:\n" + self.log.read()[-4000:])

    def send(self, site, method, path, headers, body):
        """-> (status, body) of one request to one site."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", f"{site.host}:{self.port}")
            for name, value in headers:
                connection.putheader(name, value)
            if body and not any(name.lower() == "content-length" for name, _ in headers):
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body or None)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def __exit__(self, *_):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()


REFUSED = (400, 403, 405)


def tally(stage):
    """-> rows of (site, class, sent, passed, blocked, wrongly passed, wrongly blocked), and the mistakes in words."""
    rows, mistakes = {}, []
    for site in SITES:
        for hostile, requests in ((False, visits(site)), (True, attacks())):
            for request in requests:
                status, _ = stage.send(site, request.method, request.path, request.headers, request.body)
                blocked = status in REFUSED
                row = rows.setdefault((hostile, request.kind), {}).setdefault(site.key, [0, 0, 0, 0, 0])
                row[0] += 1
                row[2 if blocked else 1] += 1
                wrong = blocked != hostile or status >= 500
                if wrong:
                    row[3 if hostile else 4] += 1
                    mistakes.append(f"{site.key}: {request.kind}: {request.method} {request.path} answered {status}")
    return rows, mistakes


def bold(text):
    return f"\033[1m{text}\033[0m" if sys.stdout.isatty() and "NO_COLOR" not in os.environ else text


def print_table(rows):
    titles = ("sent", "passed", "blocked", "wrongly passed", "wrongly blocked")
    for hostile, heading in ((False, "Visitors: everything should pass"), (True, "Attacks: everything should be blocked")):
        print(f"\n{bold(heading)}\n")
        print(f"  {'':16}" + "".join(f"{site.key:>12}" for site in SITES) + "   all sites: " + ", ".join(titles))
        for (kind_hostile, kind), per_site in rows.items():
            if kind_hostile != hostile:
                continue
            cells = ""
            for site in SITES:
                sent, passed, blocked, *_ = per_site[site.key]
                cells += f"{f'{blocked if hostile else passed} of {sent}':>12}"
            sums = [sum(row[i] for row in per_site.values()) for i in range(5)]
            print(f"  {kind:16}{cells}   " + ", ".join(str(n) for n in sums))


def raw(site, port, request):
    lines = [f"{request.method} {request.path} HTTP/1.1", f"Host: {site.host}:{port}"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    if request.body:
        lines.append(f"Content-Length: {len(request.body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + request.body


def explain(stage):
    request = next(r for r in attacks() if r.kind == "942 SQL")
    path = stage.folder / "blocked.http"
    path.write_bytes(raw(SITES[1], stage.port, request))
    print(f"\n{bold('One blocked request, explained')}\n", flush=True)
    return subprocess.run([GUIA, "explain", path], check=False).returncode in (0, 1)


OUTCOME = "visitors answered"  # the line of a flood that says how it ended


def drill(figures_aside):
    """A flood re-enacted, with Guia and without; true if it was lost. A machine that is too busy or too small proves nothing."""
    print(f"\n{bold('A flood, re-enacted: 90 seconds at most')}\n", flush=True)
    lost = []
    with subprocess.Popen([GUIA, "drill", "--brief", "--shape", "get-flood"], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            if line.strip().startswith("NO "):
                lost.append(line)
    only_figures = lost and not any(OUTCOME in line for line in lost)
    return process.returncode == 1 and not (figures_aside and only_figures)


def run_dir(stage):
    found = re.search(r"logs and copies: ([^;]+);", (stage.folder / "serve.log").read_text())
    return found.group(1) if found else "nowhere"


def incident(stage):
    """The attacks as the watch wrote them down: the number of the latest incident, once there is one; 0 if none came."""
    deadline = time.monotonic() + INCIDENT_SECONDS
    while time.monotonic() < deadline:
        done = subprocess.run([GUIA, "incidents", "--json", "--run-dir", run_dir(stage)], capture_output=True, check=False)
        if done.returncode == 0 and (told := json.loads(done.stdout)):
            return told[0]["incident"]
        time.sleep(0.2)
    return 0


def show(stage, number, once):
    """Where it is on the screen; true if it is not."""
    entrance = re.findall(r"http://\S+/enter/\w+", (stage.folder / "serve.log").read_text())
    if not entrance or number == 0:
        return True
    screen = entrance[-1].partition("/enter/")[0]
    print(f"\n{bold('What happened, on the screen')} (the first address lets in, once{'; gone when this ends' if once else ''})\n")
    for address, what in ((entrance[-1], "the way in"), (f"{screen}/incidents/{number}", "the attacks, as an incident"),
                          (f"{screen}/incidents/{number}/report?lang=pt", "its report")):
        print(f"  {address}   {what}", flush=True)
    return False


def hand_over(stage, number):
    """The incident's evidence as whoever investigates would get it, checked as they would; true if it is not whole."""
    print(f"\n{bold('Its evidence, for an investigator')}\n", flush=True)
    shutil.rmtree(BUNDLE, ignore_errors=True)
    exported = subprocess.run([GUIA, "evidence", "export", str(number), "-o", BUNDLE, "--why", "the demonstration", "--run-dir", run_dir(stage),
                               "--export-key", stage.key], stdout=subprocess.DEVNULL, check=False)
    checked = subprocess.run([GUIA, "evidence", "verify", BUNDLE], capture_output=True, text=True, check=False)
    verdict = (checked.stdout or checked.stderr).partition("\n")[0]
    print(f"  {BUNDLE}   the bundle; it stays\n  guia evidence verify   {verdict}", flush=True)
    return exported.returncode != 0 or checked.returncode != 0


def perform(stage, once, figures_aside):
    rows, mistakes = tally(stage)
    print_table(rows)
    number = incident(stage)
    explained = explain(stage)
    if not explained:
        mistakes.append("guia explain failed")
    if show(stage, number, once):
        mistakes.append("the attacks are no incident, or are on no screen")
    if hand_over(stage, number):
        mistakes.append("the evidence could not be handed over whole")
    if drill(figures_aside):
        mistakes.append("the flood was not survived: its lines that begin with NO say why (a machine that does much else may be slow to tell)")
    if mistakes:
        print("\nNot as it should be:")
        for mistake in mistakes:
            print("  " + re.sub(r"[^ -~]", "?", mistake))
    else:
        print("\nEvery line is as it should be.")
    if not once:
        print("\nThe sites, until Ctrl-C:\n")
        for site in SITES:
            print(f"  http://{site.host}:{stage.port}/   {site.en}", flush=True)
        try:
            stage.gate.wait()
        except KeyboardInterrupt:
            print()
    return 1 if mistakes else 0


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--once", action="store_true", help="end when all was shown")
    arguments.add_argument("--figures-aside", action="store_true", help="of the flood only its outcome decides")
    options = arguments.parse_args()
    if not GUIA.exists():
        fail("build/guia is not there: run make first")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="guia-demo-") as folder:
        with Stage(pathlib.Path(folder)) as stage:
            return perform(stage, options.once, options.figures_aside)


if __name__ == "__main__":
    sys.exit(main())
