"""What tests of the gate publish in place of the watch: a writer of bans or signatures, told a line at a time."""
import subprocess

from harness import wait_until


class Writer:
    """A program of tests/nginx; whoever needs a key of the gate's waits for it."""

    def __init__(self, program, *folders, key=None):
        if key is not None:
            wait_until(key.exists, "the key")
        self.process = subprocess.Popen([program, *folders], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        bufsize=1)

    def say(self, *lines):
        for line in lines:
            self.process.stdin.write(line + "\n")
            answer = self.process.stdout.readline().strip()
            assert answer == "ok", (line, answer)
