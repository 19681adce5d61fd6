#!/usr/bin/env python3
"""Worker CPU time a request in real nginx: plain, with Guia, with ModSecurity; slices taken in turn.

Usage: nginx.py BUILD [--rules VERSION] [--case NAME] [--slices N] [--count N]
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import common

CONNECTIONS = 8
CASES = {  # name: (page bytes, pages, row of requests, mode, statuses ours may give, level of the error log)
    "page-1k": (1024, 1, "get-browser", "life", {"200"}, "info"),
    "page-32k": (32768, 1, "get-browser", "life", {"200"}, "info"),
    "page-32k-many": (32768, 1000, "get-browser", "life", {"200"}, "info"),
    "attack": (1024, 1, "get-sqli", "new", {"403"}, "info"),
    "attack-life": (1024, 1, "get-sqli", "new-attack", {"403"}, "info"),
    "attack-notice": (1024, 1, "get-sqli", "new", {"403"}, "notice"),  # as `guia serve` has it
    "modsecurity-1k": (1024, 1, "get-browser", "life", {"200"}, "info"),
}
DISTINCT = 4000
MODSECURITY_SHARE = 0.1  # of the requests that the others get


def page(size, passages, number=0):
    """HTML of exactly this size, made of our own text; each number's begins with another passage."""
    passages = passages[number % len(passages):] + passages[:number % len(passages)]
    head = b"<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>Notices</title></head><body>\n"
    head = head.replace(b"Notices", b"Notices %d" % number)
    body = b"".join(b"<p>" + p.replace(b"&", b"&amp;").replace(b"\n", b"<br>\n") + b"</p>\n" for p in passages)
    text = (head + body * (size // len(body) + 1))[:size - 16].decode("utf-8", "ignore").encode()
    return text + b" " * (size - 16 - len(text)) + b"\n</body></html>\n"


class Server:
    """One nginx with one worker. `lines` go into the http block."""

    def __init__(self, gate_class, port, lines, modules, pages):
        self.port, self.next = port, 0
        chosen = "/page$page.html /page000.html" if len(pages) > 1 else "/page000.html"
        text = ("map $connection,$connection_requests $page { '~(\\d),\\d*(\\d\\d)$' $1$2; } "
                f"sendfile on; tcp_nopush on; keepalive_requests 100000000; access_log off; {lines}"
                f"server {{ listen 127.0.0.1:{port}; location / {{ try_files {chosen} =404; }} }}")
        files = {f"html/page{number:03}.html": content for number, content in enumerate(pages)}
        self.nginx = gate_class("", start=False, modules=modules, files=files)
        text = f"root {self.nginx.folder}/html; {text}".replace("FOLDER", str(self.nginx.folder))
        self.nginx.configure(text)
        self.nginx.start()
        self.worker = self.nginx.worker_pids()[0]

    def slice(self, replay, requests, count):
        """-> (nanoseconds of the worker's CPU a request, requests a second, statuses)"""
        before = common.cpu_ns(self.worker)
        done = subprocess.run([replay, str(self.port), requests, str(self.next), str(count), str(CONNECTIONS)],
                              capture_output=True, text=True, check=False, timeout=300)
        spent = common.cpu_ns(self.worker) - before
        self.next += count
        if done.returncode != 0:
            raise SystemExit(done.stderr + self.nginx.errors()[-2000:])
        said = json.loads(done.stdout)
        return spent / count, count / said["seconds"], said["status"]


def lines_of(kind, rules, build, audit, memory):
    log = ' SecAuditLog FOLDER/audit.log' if audit else ""
    engine = f'SecAuditEngine {"RelevantOnly" if audit else "Off"}\n{log}'
    if kind == "ours":
        return (f"guia on; guia_events {memory}/events; guia_cache_dir {build / 'bench/cache'}; guia_log_rate 0; "
                f"guia_rules {rules}; guia_rules '{engine}';")
    if kind == "modsecurity":
        return f"modsecurity on; modsecurity_rules_file {rules}; modsecurity_rules '{engine}';"
    return ""


def servers_of(case, kinds, rules, build, harness, memory):
    size, pages = CASES[case][:2]
    level = CASES[case][5]
    passages = (common.ROOT / "bench/data/english.txt").read_bytes().split(b"\n%\n")
    contents = [page(size, passages, number) for number in range(pages)]
    servers = {}
    for kind in kinds:
        modules = [harness.debian_modsecurity()] if kind == "modsecurity" else []
        lines = f"error_log FOLDER/error.log {level}; " + lines_of(kind, rules, build, case.startswith("attack"), memory)
        servers[kind] = Server(harness.Gate, harness.free_port(), lines, modules, contents)
    return servers


def check_records(server, requests):
    """Every attack must stand in both logs, or the figure is of something else."""
    server.nginx.stop()
    for name, word in (("audit.log", '"action":"deny"'), ("error.log", "guia: request denied")):
        with open(server.nginx.folder / name, errors="replace", encoding="utf-8") as lines:
            count = sum(word in line for line in lines)
        if count != requests:
            raise SystemExit(f"{count} of {requests} attacks stand in {name}")


def run_case(case, version, rules, build, options, harness):
    row, mode, statuses = CASES[case][2:5]
    kinds = ["ours", "modsecurity"] if case.startswith("modsecurity") else ["plain", "ours"]
    counts = {k: max(20, int(options.count * (MODSECURITY_SHARE if k == "modsecurity" else 1))) for k in kinds}
    samples = {kind: [] for kind in kinds}
    in_memory = "/dev/shm" if pathlib.Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="guia-bench-") as folder, \
            tempfile.TemporaryDirectory(prefix="guia-bench-", dir=in_memory) as memory:
        requests = pathlib.Path(folder) / "requests"
        distinct = DISTINCT if mode == "life" else options.count * (options.slices + 1)  # none twice
        subprocess.run([build / "bench/traffic", row, mode, str(distinct), "1", requests], check=True)
        servers = servers_of(case, kinds, rules, build, harness, memory)
        for number in range(options.slices + 1):
            for kind, server in servers.items():
                taken = server.slice(build / "bench/replay", requests, counts[kind])
                if set(taken[2]) != ({"200"} if kind == "plain" else statuses):
                    raise SystemExit(f"{case}, {kind}: statuses {taken[2]}")
                if number > 0:  # the first warms up
                    samples[kind].append(taken)
        if case.startswith("attack"):
            check_records(servers["ours"], servers["ours"].next)
        for server in servers.values():
            server.nginx.close()
    report(case, version, kinds, samples)


def report(case, version, kinds, samples):
    first, second = kinds
    ratio = common.spread([a[0] / b[0] for a, b in zip(samples[first], samples[second])])
    if case.startswith("modsecurity"):
        ratio = common.spread([b[0] / a[0] for a, b in zip(samples[first], samples[second])])
    common.figure("nginx-" + case, version, ratio=ratio["median"], ratio_low=ratio["low"], ratio_high=ratio["high"],
                  **{f"{kind}_us": common.spread([s[0] / 1000 for s in samples[kind]])["median"] for kind in kinds},
                  **{f"{kind}_per_s": common.spread([s[1] for s in samples[kind]])["median"] for kind in kinds})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--rules")
    parser.add_argument("--case", choices=CASES)
    parser.add_argument("--slices", type=int, default=15)
    parser.add_argument("--count", type=int, default=4000)
    options = parser.parse_args()
    build = options.build.resolve()
    sys.argv = [sys.argv[0], str(build / "ngx_http_guia_module.so")]
    import harness  # reads sys.argv
    for version, rules in common.rule_sets(options.rules):
        for name in [options.case] if options.case else CASES:
            try:
                run_case(name, version, rules, build, options, harness)
            except harness.Skip as reason:
                print(f"{name} is skipped: {reason}", file=sys.stderr)


if __name__ == "__main__":
    main()
