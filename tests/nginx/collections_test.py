"""Persistent collections: one count for all workers, over reloads, and after a worker dies with the lock in its hand."""
import os
import re
import signal
import subprocess
import time

from harness import Gate, Skip, case, curl, free_port, main, wait_until
import processes

RULES = """
SecRuleEngine On
SecAction "id:1,phase:1,pass,nolog,initcol:ip=%{REMOTE_ADDR}"
SecAction "id:2,phase:1,pass,nolog,setvar:ip.hits=+1"
SecRule IP:hits "@gt 400" "id:3,phase:1,deny,status:429,log,t:none"
"""
PORT = free_port()
gate = Gate("", workers=2, start=False, files={"rules.conf": RULES})
gate.configure(f"""
guia_collections 1m;
set_real_ip_from 127.0.0.1;
access_log off;
server {{ listen 127.0.0.1:{PORT} reuseport; guia on; guia_rules rules.conf; location / {{ empty_gif; }} }}
""")
gate.start()
URL = f"http://127.0.0.1:{PORT}/"


def many(address, count, parallel=4):
    """Status codes of `count` requests of one client address over several connections."""
    runs = [subprocess.Popen(["curl", "-s", "-H", f"X-Real-IP: {address}", "-w", "%{http_code}\\n", "-o", "/dev/null",
                              f"{URL}?[1-{count // parallel}]"], stdout=subprocess.PIPE, text=True)
            for _ in range(parallel)]
    return [code for run in runs for code in run.communicate()[0].split()]


def one(address):
    return curl(URL, "-H", f"X-Real-IP: {address}").status


@case("increments of several workers are all counted")
def _():
    assert many("192.0.2.1", 400) == ["200"] * 400
    assert one("192.0.2.1") == 429
    assert one("192.0.2.2") == 200, "another address has its own record"


@case("what was counted survives a reload")
def _():
    assert many("192.0.2.3", 200) == ["200"] * 200
    gate.reload()
    assert many("192.0.2.3", 200) == ["200"] * 200
    assert one("192.0.2.3") == 429


def zone_address():
    """Where the master has the zone: a megabyte of shared anonymous memory. It begins with the lock's word."""
    for line in open(f"/proc/{gate.process.pid}/maps"):
        found = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw-s .*/dev/zero", line)
        if found and int(found[2], 16) - int(found[1], 16) == 1024 * 1024:
            return int(found[1], 16)
    raise AssertionError("the zone is not in the master's map")


def lock_holder(memory, address):
    return int.from_bytes(os.pread(memory, 8, address), "little")


def stopped(pid):
    """Waits until the kernel has stopped a process; False if it is gone."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        state = processes.state(pid)
        if state in "TtZX":
            return state in "Tt"
    return False


def kill_as_holder(memory, address):
    """Kills a worker that has the lock because the test took it in its name, while none runs. Its pid."""
    workers = gate.worker_pids()
    while True:
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        assert all(stopped(pid) for pid in workers)
        if lock_holder(memory, address) == 0:
            break
        for pid in workers:
            os.kill(pid, signal.SIGCONT)
    os.pwrite(memory, workers[0].to_bytes(8, "little"), address)
    os.kill(workers[0], signal.SIGKILL)
    for pid in workers[1:]:
        os.kill(pid, signal.SIGCONT)
    return workers[0]


def kill_holder(memory, address):
    """Stops workers at random moments until one has the lock; kills that one. Its pid. Where they seldom run at the same
    time as the test does none may be met."""
    end = time.monotonic() + 15
    while time.monotonic() < end:
        for pid in gate.worker_pids():
            try:
                os.kill(pid, signal.SIGSTOP)
                if stopped(pid) and lock_holder(memory, address) == pid:
                    os.kill(pid, signal.SIGKILL)
                    return pid
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                continue  # a worker of before the reload, which has just left
        time.sleep(0.0005)
    return kill_as_holder(memory, address)


@case("a worker killed while it holds the lock does not stop the others")
def _():
    try:
        memory = os.open(f"/proc/{gate.process.pid}/mem", os.O_RDWR)
    except OSError as error:
        raise Skip(f"the master's memory cannot be read: {error}") from error
    address = zone_address()
    load = [subprocess.Popen(["curl", "-s", "-o", "/dev/null", "-H", f"X-Real-IP: 198.51.100.{n}",
                              f"{URL}?[1-1000000]"]) for n in range(4)]
    try:
        for kill in (kill_holder, kill_holder, kill_as_holder):
            pid = kill(memory, address)
            wait_until(lambda: len(gate.worker_pids()) == 2 and pid not in gate.worker_pids(), "a new worker")
            assert gate.logged(f'shared memory zone "guia_collections" was locked by {pid}')
    finally:
        os.close(memory)
        for run in load:
            run.kill()
            run.wait()
    assert many("192.0.2.9", 400) == ["200"] * 400
    assert one("192.0.2.9") == 429


@case("without guia_collections nginx says that the rules want them, once for all sites")
def _():
    other = "guia_rules 'SecMarker OTHER';"
    bare = Gate(f"server {{ listen 127.0.0.1:{free_port()}; guia on; guia_rules rules.conf; location /a {{ {other} }} }}",
                start=False, files={"rules.conf": RULES})
    accepted, said = bare.check()
    assert accepted and said.count("stay empty without guia_collections") == 1, said


if __name__ == "__main__":
    main()
