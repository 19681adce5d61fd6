#!/usr/bin/env python3
"""Memory a site: a real nginx with one site and with 101, each with 20 exclusions, thresholds and one @rx rule.

Usage: sites.py BUILD [--rules VERSION] [--sites N]
"""
import argparse
import http.client
import json
import pathlib
import subprocess
import sys
import tempfile

import common


EXCLUDED = 942100, 942120, 942130, 942140  # in both rule sets


def site_rules(site):
    lines = [f"SecRuleUpdateTargetById {EXCLUDED[i % len(EXCLUDED)]} !ARGS:field{site}_{i}" for i in range(20)]
    lines += [f'SecAction "id:1{site:04}0,phase:1,pass,nolog,t:none,'
              f'setvar:tx.inbound_anomaly_score_threshold={5 + site % 20},'
              f'setvar:tx.outbound_anomaly_score_threshold={4 + site % 9}"',
              f'SecRule ARGS:doc "@rx ^k{site}-[a-z]{{2,9}}[0-9]+/{site}$" '
              f'"id:1{site:04}1,phase:2,deny,status:403,log,t:none,t:lowercase"']
    return "\n".join(lines) + "\n"


def server(folder, port, site):
    file = folder / f"site{site}.conf"
    file.write_text(site_rules(site))
    return (f"server {{ listen 127.0.0.1:{port}; server_name s{site}.example; guia on; guia_site s{site}; "
            f"guia_rules {file}; location / {{ return 204; }} location /page {{ empty_gif; }} }}")


def ask(port, site):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", f"/page?doc=k{site}-abc12/{site}", headers={
        "Host": f"s{site}.example", "User-Agent": "Mozilla/5.0", "Accept": "*/*"})
    status = connection.getresponse().status
    connection.close()
    if status != 403:
        raise SystemExit(f"site {site} answered {status}: its own rule does not work")


def measure(build, rules, sites):
    """-> {name: kilobytes} of master and worker, after every site was asked twice"""
    sys.argv = [sys.argv[0], str(build / "ngx_http_guia_module.so")]
    from harness import Gate, free_port  # reads sys.argv
    with tempfile.TemporaryDirectory(prefix="guia-bench-") as folder:
        port = free_port()
        gate = Gate(f"guia_collections 1m; guia_cache_dir {build / 'bench' / 'cache'}; guia_rules {rules}; access_log off;"
                    "server_names_hash_max_size 4096;"
                    + "".join(server(pathlib.Path(folder), port, s) for s in range(sites)))
        for _ in range(2):
            for site in range(sites):
                ask(port, site)
        pids = {"master": gate.process.pid, "worker": gate.worker_pids()[0]}
        memory = {name: common.memory_kb(pid) for name, pid in pids.items()}
        gate.close()
    return {"master": memory["master"][0], "worker": memory["worker"][0],
            "both": memory["master"][1] + memory["worker"][1]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--rules")
    parser.add_argument("--sites", type=int, default=101)
    options = parser.parse_args()
    build = options.build.resolve()
    for version, file in common.rule_sets(options.rules):
        one, many = measure(build, file, 1), measure(build, file, options.sites)
        further = options.sites - 1
        inside = json.loads(subprocess.run([build / "bench" / "sites", file, build / "bench" / "cache",
                                            str(options.sites)], capture_output=True, check=True).stdout)
        common.figure("sites", version, sites=options.sites,
                      **{f"{name}_kb_a_site": (many[name] - one[name]) / further for name in one},
                      first_mb=one["both"] / 1024, process_kb_a_site=inside["resident_bytes"] / 1024)


if __name__ == "__main__":
    main()
