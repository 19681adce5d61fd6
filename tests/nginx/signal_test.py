"""A master in the foreground, as under guia serve, takes no notice of USR2 and WINCH; a daemon's binary is replaced by them. Under
load no request that was read fails, and none goes by uninspected."""
import contextlib
import os
import shutil
import signal
import subprocess
import threading

from harness import Gate, Origin, case, curl, free_port, main, wait_until
import processes

RULES = """
SecRuleEngine On
SecRequestBodyAccess On
SecRule ARGS|REQUEST_BODY "@contains evil" "id:1,phase:2,deny,status:403,log,t:none"
"""
origin = Origin()
PORT = free_port()
gate = Gate("", start=False, workers=2, files={"rules.conf": RULES})
gate.configure(f"""
keepalive_timeout 0;
server {{
    listen 127.0.0.1:{PORT};
    guia on; guia_rules rules.conf;
    location / {{ proxy_pass http://127.0.0.1:{origin.port}; }}
}}
""")


class Load:
    """Clients that ask until they are told to stop."""

    def __init__(self):
        self.statuses, self.ends = [], threading.Event()
        self.threads = [threading.Thread(target=self.client, args=a, daemon=True) for a in (("fine", 200), ("evil", 403), ("fine", 200))]
        for thread in self.threads:
            thread.start()

    def client(self, word, expected):
        while not self.ends.is_set():
            data = b"a=" + word.encode() if len(self.statuses) % 2 else None
            reply = curl(f"http://127.0.0.1:{PORT}/echo" + ("" if data else f"?q={word}"), data=data,
                         *(("--data-binary", "@-") if data else ()))
            self.statuses.append((reply.status, expected))

    def more(self, count=20):
        before = len(self.statuses)
        wait_until(lambda: len(self.statuses) >= before + count, "answers")

    def stop(self):
        self.ends.set()
        for thread in self.threads:
            thread.join()
        return [s for s in self.statuses if s[0] != s[1]]


@case("a master in the foreground goes on through USR2 and WINCH")
def _():
    gate.start()
    workers, load = gate.worker_pids(), Load()
    for number in (signal.SIGUSR2, signal.SIGWINCH) * 5:
        gate.signal(number)
        load.more(4)
    assert load.stop() == [] and gate.worker_pids() == workers
    assert gate.stop() == 0
    wait_until(lambda: not any(map(processes.is_alive, workers)), "the end of the workers")


def pid_in(name):
    path = gate.folder / name
    text = path.read_text() if path.exists() else ""
    return int(text) if text.strip() else None


@case("a daemon's binary is replaced")
def _():
    gate.config.write_text(gate.config.read_text().replace("daemon off;", ""))
    # nginx runs its new self by the name it was started with
    subprocess.run([shutil.which("nginx"), *gate.command()[1:]], check=True, timeout=120)
    old, new = wait_until(lambda: pid_in("pid"), "a pid"), None
    try:
        load = Load()
        load.more()
        os.kill(old, signal.SIGUSR2)
        wait_until(lambda: pid_in("pid.oldbin") == old and pid_in("pid") not in (None, old), "a new master")
        new = pid_in("pid")
        os.kill(old, signal.SIGWINCH)
        load.more()
        os.kill(old, signal.SIGQUIT)
        wait_until(lambda: not processes.is_alive(old), "the end of the old master")
        load.more()
        assert load.stop() == []
    finally:
        for pid in filter(None, (old, new)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not processes.is_alive(new), "the end of the new master")


if __name__ == "__main__":
    main()
