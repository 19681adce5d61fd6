"""Mounts for tests, where there may be any."""
import contextlib
import os
import subprocess

from harness import FOLDER, Skip


def namespace():
    """Whether a mount namespace can be had; mounts in it are seen by nobody else."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode != 0:
        raise Skip("needs root and mount namespaces")


def in_namespace(script, *words):
    """What a shell script in a mount namespace of its own answers: (exit code, stderr)."""
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", *map(str, words)], capture_output=True, check=False,
                          timeout=120)
    return done.returncode, done.stderr.decode()


class Disk:
    """A small file system of its own."""

    def __init__(self, megabytes):
        namespace()
        self.place = FOLDER / "disk"
        self.place.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "none", self.place], check=True)

    def __enter__(self):
        return self

    def fill(self):
        with contextlib.suppress(OSError), open(self.place / "fill", "ab", buffering=0) as f:
            while True:
                f.write(b"x" * 65536)
        with contextlib.suppress(OSError), open(self.place / "fill", "ab", buffering=0) as f:
            while True:
                f.write(b"x")

    def free(self):
        (self.place / "fill").unlink(missing_ok=True)

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.place], check=False)
