"""What the benchmark's programs in Python share: rule sets, figures, nginx in a private folder on loopback."""
import json
import os
import pathlib
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "nginx"))
RULE_SETS = {
    "3.3.4": (ROOT / "bench/rules/v3.conf", pathlib.Path("/usr/share/modsecurity-crs/rules")),
    "4.28.0": (ROOT / "bench/rules/v4.conf", ROOT.parent / "shared/crs/v4.28.0/rules"),
}


def rule_sets(only=None):
    """-> (version, rule file) of those that are there; says which are not."""
    for version, (file, needs) in RULE_SETS.items():
        if only not in (None, version):
            continue
        if needs.is_dir():
            yield version, file
        else:
            print(f"CRS {version} is skipped: {needs} is absent", file=sys.stderr)


def spread(samples):
    """-> {median, low, high}: the middle half lies between low and high."""
    if len(samples) < 2:
        return {"median": samples[0], "low": samples[0], "high": samples[0]}
    low, median, high = statistics.quantiles(samples, n=4, method="inclusive")
    return {"median": median, "low": low, "high": high}


def figure(name, rules, **values):
    """One line of JSON, for bench/run to put into its table."""
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in values.items()}
    print(json.dumps({"figure": name, "rules": rules, **rounded}), flush=True)


def cpu_ns(pid):
    """CPU time of all threads of a process, in nanoseconds: user and system."""
    return sum(int(task.read_text().split()[0]) for task in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"))


def memory_kb(pid):
    """-> (resident, proportional), in kilobytes."""
    lines = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    return int(lines["Rss"].split()[0]), int(lines["Pss"].split()[0])


def nginx_user():
    return "user root;" if os.getuid() == 0 else ""
