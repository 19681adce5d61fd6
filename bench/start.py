#!/usr/bin/env python3
"""Cold and warm start: CPU and wall seconds of `guia check --rules` with an empty and with a filled cache.

Usage: start.py BUILD [--rules VERSION] [--cold N] [--warm N]
"""
import argparse
import os
import pathlib
import subprocess
import tempfile
import time

from common import figure, rule_sets, spread


def run(guia, rules, cache):
    """-> (CPU seconds, wall seconds)"""
    begun = time.monotonic()
    child = subprocess.Popen([guia, "check", "--rules", rules, "--cache", cache], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"guia check ended with {child.returncode}")
    return used.ru_utime + used.ru_stime, time.monotonic() - begun


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--rules")
    parser.add_argument("--cold", type=int, default=3)
    parser.add_argument("--warm", type=int, default=11)
    options = parser.parse_args()
    for version, file in rule_sets(options.rules):
        cold, warm = [], []
        for number in range(options.cold):
            with tempfile.TemporaryDirectory(prefix="guia-bench-") as cache:
                cold.append(run(options.build / "guia", file, cache))
                rounds = options.warm if number == 0 else 0
                warm += [run(options.build / "guia", file, cache) for _ in range(rounds)]
        for name, times in (("start-cold", cold), ("start-warm", warm)):
            cpu, wall = (spread([t[i] for t in times]) for i in (0, 1))
            figure(name, version, cpu_s=cpu["median"], cpu_low=cpu["low"], cpu_high=cpu["high"], wall_s=wall["median"])


if __name__ == "__main__":
    main()
