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


def wait_while_it_lasts(order, condition, what, lifetimes=(2, 8, 32)):
    """Of what ends by itself: `order`s it for so many seconds, and for more where it was over before this machine came to see
    it. -> the condition's first value that is true."""
    for seconds in lifetimes:
        end = time.monotonic() + seconds
        order(seconds)
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > end:
                break
            time.sleep(0.02)
    raise AssertionError(f"in {seconds} s was not seen: {what}; last seen: {_short(value)}")
