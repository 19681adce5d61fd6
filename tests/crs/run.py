#!/usr/bin/env python3
"""The Core Rule Set's own tests, in process or through a real nginx; TAP, one case a test.

Usage: run.py BUILD 3|4 local|server. The tests of 3.3.4 and all of 4.28.0 lie beside this tree, in ../shared/crs, or
where GUIA_CRS says; without them everything is skipped.
"""
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time

import origin

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from ports import free_port  # pylint: disable=wrong-import-position

ROOT = HERE.parent.parent
VERSIONS = {"3": "v3.3.4", "4": "v4.28.0"}


def crs_folder():
    for folder in (os.environ.get("GUIA_CRS"), ROOT.parent / "shared/crs", ROOT.parent.parent / "shared/crs"):
        if folder and pathlib.Path(folder).is_dir():
            return pathlib.Path(folder)
    return None


def rules(version, crs, temp):
    """v4.conf names the folder beside the tree; where it is elsewhere a copy names that."""
    text = (HERE / f"v{version}.conf").read_text()
    text = text.replace("Include settings.conf", f"Include {HERE}/settings.conf").replace("../../../shared/crs", str(crs))
    path = pathlib.Path(temp) / "rules.conf"
    path.write_text(text)
    return path


CONF = """
load_module {build}/ngx_http_guia_module.so;
{user}
daemon off; pid {temp}/nginx.pid; error_log {temp}/error.log info; worker_processes 1;
events {{ worker_connections 512; }}
http {{
    client_body_temp_path {temp}/b; proxy_temp_path {temp}/p; fastcgi_temp_path {temp}/f; uwsgi_temp_path {temp}/u;
    scgi_temp_path {temp}/s; access_log off; client_max_body_size 0; client_body_timeout 1s; client_header_timeout 1s;
    underscores_in_headers on; ignore_invalid_headers off;
    guia on; guia_cache_dir {cache}; guia_rules {rules};
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass http://127.0.0.1:{origin}; proxy_http_version 1.1; proxy_set_header Connection ""; }}
    }}
}}
"""


class Gate:
    """A real nginx with the rules, before the origin of the tests."""

    def __init__(self, build, temp, rule_file):
        self.port = free_port()
        self.origin = origin.Origin(("127.0.0.1", 0), origin.Handler)
        threading.Thread(target=self.origin.serve_forever, daemon=True).start()
        home = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
        home.mkdir(exist_ok=True)
        conf = pathlib.Path(temp) / "nginx.conf"
        conf.write_text(CONF.format(build=build, temp=temp, cache=home / "guia", rules=rule_file, port=self.port,
                                    origin=self.origin.server_address[1], user="user root;" if os.geteuid() == 0 else ""))
        self.log = pathlib.Path(temp) / "error.log"
        self.nginx = subprocess.Popen(["/usr/sbin/nginx", "-p", temp, "-c", conf, "-e", self.log])

    def __enter__(self):
        for _ in range(3000):
            if self.nginx.poll() is not None:
                sys.exit("Bail out! nginx did not start: " + self.log.read_text()[-2000:])
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                time.sleep(0.1)
        sys.exit("Bail out! nginx does not listen")

    def __exit__(self, *_):
        self.nginx.terminate()
        self.nginx.wait(120)


def main():
    build, version, way = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2], sys.argv[3]
    crs = crs_folder()
    if crs is None:
        print("1..0 # SKIP the Core Rule Set's tests are not here")
        return 0
    with tempfile.TemporaryDirectory(prefix="guia-crs-") as temp:
        rule_file = rules(version, crs, temp)
        command = [build / "guia", "test", "--json", "--rules", rule_file]
        overrides = [HERE / f"overrides-v{version}.yaml"]
        if way == "server":
            # What nginx does otherwise is said upstream for 4.28.0; for 3.3.4 and for what is left by ours.
            overrides = ([crs / VERSIONS["4"] / "nginx-overrides.yaml"] if version == "4" else overrides) + [
                HERE / f"overrides-v{version}-server.yaml"]
        for path in overrides:
            command += ["--overrides", path]
        tests = crs / VERSIONS[version] / "tests"
        if way == "server":
            with Gate(build, temp, rule_file) as gate:
                command += ["--server", f"http://127.0.0.1:{gate.port}", "--log", gate.log, tests]
                done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        else:
            done = subprocess.run(command + [tests], stdout=subprocess.PIPE, text=True, check=False)
        return report(done)


def report(done):
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    results = [line for line in lines if "test" in line]
    for number, result in enumerate(results, 1):
        word = "not ok" if result["outcome"] == "failed" else "ok"
        skip = f" # SKIP {result['why']}" if result["outcome"] == "skipped" else ""
        print(f"{word} {number} - {result['test']}{skip}")
        if result["outcome"] == "failed":
            print(f"# {result['file']}:{result['line']}: {result['why'][:400]}")
    print(f"1..{len(results)}")
    if done.returncode not in (0, 1) or not results:
        print(f"Bail out! guia test ended with {done.returncode}")
        return 1
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
