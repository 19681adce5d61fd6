#!/usr/bin/env python3
"""From an attack's first request to the incident on the screen and to its complete report, in seconds: tests/serve/onset.py several times over.

Usage: onset.py BUILD [--json] [--quick] [--times N]
"""
import argparse
import json
import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parent.parent / "tests" / "serve"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    sys.path.insert(0, str(TESTS))
    sys.argv = [sys.argv[0], str(options.build / "guia")]
    from onset import observe  # pylint: disable=import-outside-toplevel
    seen = [observe()[0] for _ in range(1 if options.quick else options.times)]
    told = {"figure": "onset", "row": "a flood", "times": len(seen)}
    for what, key in (("incident", "screen_s"), ("report", "report_s")):
        told[key] = round(max(moments[what] for moments in seen), 3)
    print(json.dumps(told) if options.json else
          "of {times}, at worst: {screen_s:.2f} s to the incident on the screen, {report_s:.2f} s to a complete report".format(**told))


if __name__ == "__main__":
    main()
