"""Waiting for what must come. How late it comes is the machine's affair and decides nothing: the limits here only end a
test that waits in vain, and that says what it saw last."""
import time

PATIENCE = 120


def _short(value, most=2000):
    text = repr(value)
    return text if len(text) <= most else f"{text[:most // 2]} ... {text[-most // 2:]}"


def wait_until(condition, what, seconds=PATIENCE, seen=None, pause=0.02):
    """-> the condition's first value that is true. `seen` tells what else is of interest if none comes."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() >= end:
            told = _short(value) + (f"; {_short(seen())}" if seen else "")
            raise AssertionError(f"in {seconds} s did not come: {what}; last seen: {told}")
        time.sleep(pause)
    return value
