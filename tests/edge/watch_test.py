"""The watch and the edge: what is banned is banned there too, by a watch without rights, over kills, detachings, new attachments. TAP."""
import contextlib
import json
import os
import pathlib
import pwd
import signal
import subprocess
import sys

from world import FAR, GUIA, attach, case, edge, main, passed, run, shown, wait_for, wait_while_it_lasts


class Watch:
    """guia watch as nobody, in a folder of its own."""

    def __init__(self, folder, *words):
        self.run_dir = pathlib.Path(folder) / "watch"
        self.words, self.child = words, None
        self.run_dir.mkdir(exist_ok=True)
        for name in ("events", "bans"):
            (self.run_dir / name).mkdir(exist_ok=True)
            os.chown(self.run_dir / name, 65534, 65534)
        folder.chmod(0o755)
        self.run_dir.chmod(0o755)
        self.said = open(folder / "said", "w+", encoding="utf-8")
        self.start()

    def start(self):
        self.child = subprocess.Popen([GUIA, "watch", "--run-dir", self.run_dir, "--events", self.run_dir / "events", "--bans",
                                       self.run_dir / "bans", "--user", "nobody", *self.words], stderr=self.said)
        wait_for(lambda: self.status() is not None, "the watch")

    def status(self):
        done = subprocess.run([GUIA, "status", "--run-dir", self.run_dir, "--json"], capture_output=True, check=False)
        return json.loads(done.stdout) if done.returncode in (0, 1) else None

    def edge(self):
        return (self.status() or {}).get("edge")

    def order(self, *words):
        return run(GUIA, *words, "--run-dir", self.run_dir)

    def kill(self):
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()

    def end(self):
        self.child.terminate()
        self.child.wait()
        self.said.close()
        for path in sorted(self.run_dir.rglob("*"), reverse=True):
            with contextlib.suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()


def watched(*words):
    """A case with a watch, which is ended after it."""
    def wrap(function):
        def with_watch(folder):
            watch = Watch(folder, *words)
            try:
                function(watch)
            except Exception:
                print("# " + pathlib.Path(watch.said.name).read_text(encoding="utf-8").replace("\n", "\n# "))
                raise
            finally:
                watch.end()
        with_watch.__name__ = function.__name__
        return case(with_watch)
    return wrap


@watched()
def what_a_person_orders_is_in_force_at_the_edge(watch):
    assert "edge" not in watch.status() and "edge" not in watch.order("ban", "10.7.1.9")
    attach("--user", "nobody")
    wait_for(watch.edge, "the edge found")
    assert watch.edge()["bans"] == 1 and watch.edge()["interfaces"] == [{"name": "near", "mode": "native"}]
    assert passed()
    assert "at gate and edge" in watch.order("ban", "10.7.0.2")
    assert not passed() and passed("10.7.0.3")
    wait_for(lambda: watch.edge()["packets"]["banned"] >= 1, "counts")
    orders = json.loads(watch.order("ban", "--json"))["orders"]
    assert orders[0]["prefix"].startswith("10.7.0.2") and orders[0]["hits"] >= 1 and orders[0]["edge"] == "in force", orders
    assert "; 2 bans; packets a second:" in run(GUIA, "status", "--run-dir", watch.run_dir, code=1)
    assert "; 2 bans; packets a second:" in watch.order("top", "-1")
    watch.order("unban", "10.7.0.2")
    assert passed() and watch.edge()["bans"] == 1
    assert "at the gate (edge: too wide for it)" in watch.order("ban", "12.0.0.0/7", "--force")


@watched()
def an_edge_that_is_not_the_watchs_is_told_and_can_be_given_to_it(watch):
    workers = next(name for name in ("guia", "www-data", "nginx", "nobody") if name in {user.pw_name for user in pwd.getpwall()})
    assert f"for {workers} and root" in attach()  # whom `guia serve` has its watch run as: not this one
    wait_for(lambda: watch.status().get("edge_fault"), "the fault", seen=watch.status)
    assert "edge" not in watch.status() and "--user nobody" in watch.status()["edge_fault"], watch.status()
    assert "guia edge attach near --user nobody" in run(GUIA, "status", "--run-dir", watch.run_dir, code=1)
    assert "at the gate (edge: not reached" in watch.order("ban", "10.7.0.2") and passed()
    told = edge("attach", "near", "--user", "nobody", "--bans", "20000")
    assert "for nobody and root" in told and "stay as they are" in told, told
    wait_for(watch.edge, "the edge found")
    assert "edge_fault" not in watch.status() and not passed()
    assert "at gate and edge" in watch.order("ban", "10.7.0.3")
    edge("attach", "near", "--user", workers)  # away from a watch that has it
    wait_for(lambda: watch.status().get("edge_fault"), "the fault again", seen=watch.status)
    assert "not reached" in watch.order("unban", "10.7.0.3") and not passed("10.7.0.3")
    edge("attach", "near", "--user", "nobody")
    wait_for(watch.edge, "the edge found")
    assert passed("10.7.0.3") and not passed()
    edge("detach")
    wait_for(lambda: watch.edge() is None, "no edge")
    assert "edge_fault" not in watch.status(), watch.status()


@watched()
def an_allowance_lifts_no_persons_ban_and_what_is_lifted_uncovers_it(watch):
    attach("--user", "nobody")
    wait_for(watch.edge, "the edge found")
    watch.order("ban", "10.7.0.0/24")
    watch.order("allow", "10.7.0.3")
    assert passed("10.7.0.3") and not passed()
    watch.order("ban", "10.7.0.3", "--force")
    assert not passed("10.7.0.3")
    watch.order("unban", "10.7.0.3")
    assert not passed("10.7.0.3"), "the /24 is still banned"
    watch.order("unban", "10.7.0.0/24")
    assert passed("10.7.0.3") and passed()
    # In pieces: of two that a person ordered the longer holds, at the edge as at the gate.
    watch.order("ban", "10.7.0.0/25")
    watch.order("allow", "10.7.0.2/31")
    assert passed("10.7.0.3") and passed()


@watched()
def what_lies_in_a_ban_in_pieces_leaves_no_hole_when_it_is_over(watch):
    attach("--user", "nobody")
    wait_for(watch.edge, "the edge found")
    watch.order("ban", "10.7.0.0/25")
    watch.order("ban", "10.7.0.2")
    watch.order("unban", "10.7.0.2")
    assert not passed(), "the /25 is still banned"
    watch.order("ban", "10.7.0.2", "--for", "1s")
    wait_for(lambda: len(json.loads(watch.order("ban", "--json"))["orders"]) == 1, "its end")
    assert not passed(), "the /25 is still banned"
    watch.order("ban", "10.7.0.3")
    watch.order("unban", "10.7.0.0/25")
    assert passed()
    wait_for(lambda: not passed("10.7.0.3"), "the one within banned again")


@watched()
def cookies_that_the_kernel_no_longer_takes_are_not_sent(watch):
    cookies = pathlib.Path("/proc/sys/net/ipv4/tcp_syncookies")
    cookies.write_text("2")
    attach("--user", "nobody")
    wait_for(watch.edge, "the edge found")
    assert shown()["answers_syns"]
    cookies.write_text("1")
    wait_for(lambda: not shown()["answers_syns"], "SYNs left to the kernel", seen=shown)
    cookies.write_text("2")
    wait_for(lambda: shown()["answers_syns"], "SYNs answered again", seen=shown)
    said = pathlib.Path(watch.said.name).read_text(encoding="utf-8")
    assert "no longer 2: SYNs above the budget are left to the kernel" in said and "answered with cookies" in said, said


@watched()
def bans_end_at_the_edge_with_those_of_the_gate(watch):
    attach("--user", "nobody")
    wait_for(watch.edge, "the edge found")

    def order(seconds):
        if watch.child.poll() is not None:
            watch.start()
            wait_for(watch.edge, "the edge found again")
        watch.order("ban", "10.7.0.2", "--for", f"{seconds}s")
        watch.kill()
    wait_while_it_lasts(order, lambda: not passed(), "the edge holds without a watch")
    wait_for(passed, "the end of a ban")
    watch.start()
    wait_for(lambda: (watch.edge() or {"bans": 9})["bans"] == 0, "its place given up")


@watched()
def a_watch_that_was_killed_takes_the_edge_over(watch):
    attach("--user", "nobody")
    wait_for(watch.edge, "the edge found")
    watch.order("ban", "10.7.0.2")
    wait_for(lambda: "10.7.0.2" in (watch.run_dir / "bans" / "orders.json").read_text(), "the order written")
    watch.kill()
    assert not passed() and passed("10.7.0.3")
    watch.start()
    wait_for(watch.edge, "the edge found again")
    assert watch.edge()["bans"] == 1 and not passed(), watch.edge()
    assert json.loads(watch.order("ban", "--json"))["orders"][0]["hits"] >= 1
    watch.order("unban", "10.7.0.2")
    assert passed()


@watched()
def an_edge_that_is_attached_anew_gets_all_bans(watch):
    attach("--user", "nobody")
    wait_for(watch.edge, "the edge found")
    watch.order("ban", "10.7.0.2")
    edge("detach")
    assert passed()
    wait_for(lambda: watch.edge() is None, "the edge let go")
    watch.order("ban", "10.7.0.3")
    attach("--user", "nobody")
    wait_for(watch.edge, "the new edge found")
    assert not passed() and not passed("10.7.0.3") and watch.edge()["bans"] == 2


@watched("--proxy", "10.7.0.3")
def a_trusted_proxy_is_never_banned_at_the_edge(watch):
    attach("--user", "nobody")
    wait_for(watch.edge, "the edge found")
    watch.order("ban", "10.7.0.0/24", "--force")
    watch.order("ban", "10.7.0.3", "--force")
    assert passed("10.7.0.3") and not passed()


@watched()
def one_watch_at_a_time_has_the_edge(watch):
    attach("--user", "nobody")
    wait_for(watch.edge, "the edge found")
    folder = watch.run_dir.parent / "other"
    folder.mkdir(exist_ok=True)
    second = Watch(folder)
    try:
        wait_for(lambda: "another watch has the edge" in (folder / "said").read_text(), "the second to say so")
        assert second.edge() is None and watch.edge() is not None
        watch.kill()
        wait_for(second.edge, "the second to take over")
    finally:
        second.end()


FLOOD = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    for _ in range(20):
        s.sendto(b"x", ("10.7.0.1", 53))
    time.sleep(0.01)
"""


@contextlib.contextmanager
def flooding():
    """For as long as the block runs, however it ends."""
    with subprocess.Popen([*FAR, sys.executable, "-c", FLOOD, "600"]) as flood:
        try:
            yield
        finally:
            flood.kill()


@watched()
def packets_above_a_budget_are_an_incident_and_ban_nobody(watch):
    (watch.run_dir / "events" / "key").write_bytes(os.urandom(16))  # as the gate leaves it
    attach("--user", "nobody", "--udp-port", 5, "--samples", 500)
    wait_for(watch.edge, "the edge found")
    assert watch.status()["packets"] == []
    with flooding():
        floods = lambda: (watch.status() or {}).get("packets", [])
        told = wait_for(lambda: next((f for f in floods() if f["on"] and f["held"] and f["ports"] and f["packets"] >= 400), None),
                        "the flood told, held and described", seen=floods)
        assert told["kind"] == "udp" and len(floods()) == 1, floods()
        assert told["destinations"] == "10.7.0.1 100 %" and told["ports"] == "udp/53 100 %", told
        assert told["networks_may_be_forged"] == "10.7.0.0/16 100 %" and told["networks_sampled"] == 1, told
        for shown_as in (run(GUIA, "status", "--run-dir", watch.run_dir, code=1), watch.order("top", "-1")):
            assert "PACKETS: UDP above the edge's budget" in shown_as and "may be forged" in shown_as, shown_as
        history = ("--history", watch.run_dir / "bans" / "history.db")
        wait_for(lambda: (watch.run_dir / "bans" / "history.db").exists() and json.loads(run(GUIA, "incidents", "--json", *history)), "the incident")
        # It may have fallen below half of its worst by now, and is said to subside.
        whole = wait_for(lambda: (w := json.loads(run(GUIA, "incidents", 1, "--json", *history))).get("held_ms") and w, "that it was held")
        assert [p["kind"] for p in whole["packets"]] == ["udp"] and whole["kind"] == "flood" and whole["sites"] == [], whole
        texts = [entry["text"] for entry in whole["timeline"]]
        assert any("packets flood the edge or the link" in text for text in texts) and any("dropped at the edge" in text for text in texts), texts
        assert "udp/53 100 %" in run(GUIA, "incidents", 1, *history)
        assert "udp/53 100 %" in run(GUIA, "report", 1, *history, "--lang", "pt")
    assert watch.edge()["bans"] == 0 and json.loads(watch.order("ban", "--json"))["prefixes"] == 0
    watch.kill()
    watch.start()
    wait_for(lambda: watch.status()["packets"], "the next watch to go on with it")
    assert watch.status()["packets"][0]["id"] == told["id"]


@case
def check_tells_whether_the_kernels_cookies_are_on(folder):
    cookies = pathlib.Path("/proc/sys/net/ipv4/tcp_syncookies")
    words = ("check", "--site", "a.test=http://127.0.0.1:9", "--run-dir", folder / "gate")
    cookies.write_text("0")
    assert "sysctl -w net.ipv4.tcp_syncookies=1" in run(GUIA, *words, code=1)
    assert json.loads(subprocess.run([GUIA, *map(str, words), "--json"], capture_output=True, check=False).stdout)["syn_cookies"] == 0
    for value in "12":
        cookies.write_text(value)
        assert f"SYN cookies: on (net.ipv4.tcp_syncookies is {value})" in run(GUIA, *words)


main()
