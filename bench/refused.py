#!/usr/bin/env python3
"""Worker CPU time of a request refused at the gate by a signature, against one that is served from nginx's cache: by the
same gate with nothing published, which inspects it, and by plain nginx. Slices taken in turn.

Usage: refused.py BUILD [--rules VERSION] [--slices N] [--count N]
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import common

CONNECTIONS = 8
DISTINCT = 4000
HOST = 12  # wire/fingerprint.h: every request has it
PAGE = b"<!doctype html><html><body>" + b"A page of an office, kept. " * 38 + b"</body></html>\n"


class Server:
    def __init__(self, harness, build, kind, rules, memory):
        port, origin = harness.free_port(), harness.free_port()
        self.port, self.next = port, 0
        self.nginx = harness.Gate("", start=False, files={"html/page": PAGE})
        folder, own = self.nginx.folder, pathlib.Path(memory) / kind
        (own / "bans").mkdir(parents=True)
        wide, ours = "", ""
        if kind != "plain":
            wide = f"guia_events {own}/events; guia_bans {own}/bans; guia_cache_dir {build}/bench/cache;"
            ours = f"guia on; guia_rules {rules}; guia_rules 'SecAuditEngine Off';"
        self.nginx.configure(f"""
keepalive_requests 100000000; access_log off; client_header_buffer_size 4k; sendfile on; tcp_nopush on; {wide}
proxy_cache_path {folder}/copies keys_zone=copies:8m; proxy_cache copies; proxy_cache_key one; proxy_cache_valid 200 1d;
server {{ listen 127.0.0.1:{port}; {ours} location / {{ proxy_pass http://127.0.0.1:{origin}; }} }}
server {{ listen 127.0.0.1:{origin}; root {folder}/html; location / {{ try_files /page =404; }} }}
""")
        self.nginx.start()
        if kind == "refused":
            harness.wait_until(lambda: (own / "events/key").exists(), "the key")
            done = subprocess.run([build / "tests/nginx/signature_writer", own / "bans", own / "events"], check=True, text=True,
                                  input=f"rule 1 - 36000000 has={HOST} strange-agent=nobody\npublish\n", capture_output=True)
            if done.stdout != "ok\nok\n":
                raise SystemExit(done.stdout)
            harness.wait_until(lambda: harness.curl(f"http://127.0.0.1:{port}/").status == 403, "the signature")
        self.worker = self.nginx.worker_pids()[0]

    def slice(self, replay, requests, count, wanted):
        before = common.cpu_ns(self.worker)
        done = subprocess.run([replay, str(self.port), requests, str(self.next), str(count), str(CONNECTIONS)],
                              capture_output=True, text=True, check=False, timeout=300)
        spent = common.cpu_ns(self.worker) - before
        self.next += count
        if done.returncode != 0 or set(json.loads(done.stdout)["status"]) != {wanted}:
            raise SystemExit(done.stdout + done.stderr + self.nginx.errors()[-2000:])
        return spent / count


def run(harness, build, version, rules, options):
    in_memory = "/dev/shm" if pathlib.Path("/dev/shm").is_dir() else None
    samples = {"plain": [], "ours": [], "refused": []}
    with tempfile.TemporaryDirectory(prefix="guia-bench-") as folder, \
            tempfile.TemporaryDirectory(prefix="guia-bench-", dir=in_memory) as memory:
        requests = pathlib.Path(folder) / "requests"
        subprocess.run([build / "bench/traffic", "get-browser", "life", str(DISTINCT), "1", requests], check=True)
        servers = {kind: Server(harness, build, kind, rules, memory) for kind in samples}
        for number in range(options.slices + 1):
            for kind, server in servers.items():
                taken = server.slice(build / "bench/replay", requests, options.count, "403" if kind == "refused" else "200")
                if number > 0:  # the first warms up
                    samples[kind].append(taken)
        for server in servers.values():
            server.nginx.close()
    ratios = {kind: common.spread([r / c for r, c in zip(samples["refused"], samples[kind])]) for kind in ("plain", "ours")}
    common.figure("refused", version, ratio=ratios["ours"]["median"], ratio_low=ratios["ours"]["low"],
                  ratio_high=ratios["ours"]["high"], ratio_to_plain=ratios["plain"]["median"],
                  **{f"{kind}_us": common.spread([s / 1000 for s in samples[kind]])["median"] for kind in samples})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--rules")
    parser.add_argument("--slices", type=int, default=15)
    parser.add_argument("--count", type=int, default=4000)
    options = parser.parse_args()
    build = options.build.resolve()
    sys.argv = [sys.argv[0], str(build / "ngx_http_guia_module.so")]
    import harness  # reads sys.argv
    for version, rules in common.rule_sets(options.rules):
        run(harness, build, version, rules, options)


if __name__ == "__main__":
    main()
