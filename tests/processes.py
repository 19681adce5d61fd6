"""Other processes, as /proc tells of them. Any may end between being found and being read; then it is as if it had ended
before, and nothing here raises for that."""
import contextlib
import os
import pathlib
import signal


def _read(pid, name):
    """b"": it has ended."""
    try:
        return pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _stat(pid):
    """Its state, its parent and so on, which stand behind the name in brackets; []: it has ended."""
    return _read(pid, "stat").decode(errors="replace").rpartition(")")[2].split()


def everyone():
    return [int(entry.name) for entry in pathlib.Path("/proc").iterdir() if entry.name.isdigit()]


def state(pid):
    """The letter that ps shows; Z of one that has ended."""
    return (_stat(pid) or "Z")[0]


def is_alive(pid):
    return state(pid) not in "ZX"


def parent(pid):
    return int((_stat(pid) or "Z0")[1])


def children(pid):
    return [int(word) for word in _read(pid, f"task/{pid}/children").split()]


def words(pid):
    """Its command line; []: it has ended."""
    return _read(pid, "cmdline").decode(errors="replace").rstrip("\0").split("\0") if is_alive(pid) else []


def title(pid):
    """What it calls itself, if it writes that over its command line, as nginx does."""
    return " ".join(words(pid)).strip()


def status(pid, key):
    """The line of /proc/PID/status behind `key:`; "": it has ended."""
    lines = _read(pid, "status").decode(errors="replace").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key + ":")), "")


@contextlib.contextmanager
def stopped(*pids):
    """They do nothing while the block runs."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
