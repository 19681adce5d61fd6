"""The cases of a test, told as TAP."""
import traceback


class Skip(Exception):
    """What cannot be tested here; with the reason."""


def title(function):
    return function.__name__.replace("_", " ")


def run(cases):
    """Of (title, function): runs each, whatever became of those before. -> how many failed"""
    failed = 0
    print(f"1..{len(cases)}", flush=True)
    for number, (name, function) in enumerate(cases, 1):
        try:
            function()
            print(f"ok {number} - {name}", flush=True)
        except Skip as reason:
            print(f"ok {number} - {name} # SKIP {reason}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"not ok {number} - {name}")
            print("# " + traceback.format_exc().strip().replace("\n", "\n# "), flush=True)
    return failed
