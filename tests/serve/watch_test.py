"""guia serve with the watch beside it: started, started again, renewed, ended; what a service manager hears. TAP."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess

from harness import FOLDER, GUIA, Origin, Serve, Skip, alive, case, main, site, wait_for, write
import processes
from notify import Manager
from processes import stopped
from waiting import wait_while_it_lasts


def status(gate):
    done = subprocess.run([GUIA, "status", "-c", gate.config, "--json"], capture_output=True, check=False, timeout=300)
    return json.loads(done.stdout) if done.returncode in (0, 1) else {}


def is_up(gate):
    return subprocess.run([GUIA, "status", "-c", gate.config], capture_output=True, check=False, timeout=300).returncode == 0


def events_folder(gate):
    line = next(l for l in (gate.run / "nginx.conf").read_text().splitlines() if "guia_events" in l)
    return pathlib.Path(line.split()[1].rstrip(";"))


def of_site(gate, name="a.test"):
    """What the watch tells of it; {}: it knows none such yet."""
    return next((s for s in status(gate).get("sites", []) if s["site"] == name), {})


def watch_pid(gate):
    return status(gate).get("watch", {}).get("pid")


@case
def serve_starts_the_watch_and_ends_it():
    origin = Origin()
    with Serve(site(origin)) as gate:
        wait_for(lambda: is_up(gate), "the site up")
        told = wait_for(lambda: (s := status(gate)).get("workers") == 2 and s, "both workers' word", seen=lambda: status(gate))
        assert told["sites"][-1]["site"] == "a.test", told
        arrived = of_site(gate)["arrived"]
        for _ in range(20):
            assert gate.get("/?q=evil")[0] == 403
        wait_for(lambda: of_site(gate)["ended"]["block"].get("rule") == 20, "twenty blocked", seen=lambda: of_site(gate))
        assert of_site(gate)["arrived"] >= arrived + 20

        def top():
            """After one more: it is of the last seconds only."""
            assert gate.get("/?q=evil")[0] == 403
            return subprocess.run([GUIA, "top", "-c", gate.config, "-1", "--by", "rule"], capture_output=True, check=True,
                                  timeout=300).stdout.decode()
        wait_for(lambda: "100 " in top(), "the rule among the first", seen=top)
        pid, folder = watch_pid(gate), events_folder(gate)
        assert folder.stat().st_mode & 0o022 == 0
        owner = processes.status(pid, "Uid").split()[0]
        assert owner not in ("", "0") or os.geteuid() != 0 or "user root" in (gate.run / "nginx.conf").read_text()
        assert gate.end() == 0 and not alive({pid})
        if str(folder).startswith("/dev/shm/"):
            assert not folder.exists()
    origin.stop()


@case
def a_watch_that_dies_comes_back_and_knows_the_sums():
    origin = Origin()
    with Serve(site(origin)) as gate:
        wait_for(lambda: is_up(gate), "the site up")
        before, arrived = watch_pid(gate), of_site(gate)["arrived"]
        os.kill(before, signal.SIGKILL)
        assert gate.get("/")[0] == 200
        wait_for(lambda: watch_pid(gate) not in (None, before), "another watch")
        wait_for(lambda: of_site(gate).get("arrived", 0) > arrived, "the sums", seen=lambda: status(gate))
        wait_for(lambda: is_up(gate), "the site up")
        assert "the watch ended (signal 9)" in gate.said()
    origin.stop()


def ban(gate, *words):
    done = subprocess.run([GUIA, *words, "-c", gate.config], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done
    return done.stdout


def answers(gate, source, *header):
    return gate.curl("http://127.0.0.1:PORT/", "-H", "Host: a.test", "--interface", source, *header)[0]


@case
def whom_a_person_bans_is_refused_also_by_the_next_watch():
    origin = Origin()
    with Serve("trusted_proxies: [127.0.5.0/24]\n" + site(origin)) as gate:
        wait_for(lambda: is_up(gate), "the site up")
        named = ("-H", "X-Forwarded-For: 192.0.2.7")
        assert answers(gate, "127.0.2.1") == 200 and answers(gate, "127.0.5.1", *named) == 200
        ban(gate, "ban", "127.0.2.1", "--why", "a test")
        ban(gate, "ban", "192.0.2.7")
        ban(gate, "ban", "127.0.5.0/24", "--force")
        wait_for(lambda: answers(gate, "127.0.2.1") == 0, "a refusal")
        wait_for(lambda: answers(gate, "127.0.5.1", *named) == 403, "a refusal of whom the proxy names")
        assert answers(gate, "127.0.5.1", "-H", "X-Forwarded-For: 192.0.2.8") == 200 and answers(gate, "127.0.2.2") == 200
        before = watch_pid(gate)
        os.kill(before, signal.SIGKILL)
        wait_for(lambda: watch_pid(gate) not in (None, before), "another watch")
        assert "a test" in ban(gate, "ban") and answers(gate, "127.0.2.1") == 0
        ban(gate, "unban", "127.0.2.1")
        wait_for(lambda: answers(gate, "127.0.2.1") == 200, "an answer")
    origin.stop()


def raw_ask(gate, line):
    """What the watch answers to a line that no command of ours would send."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(60)
        s.connect(str(gate.run / "control"))
        s.sendall(line + b"\n")
        return json.loads(s.makefile().read(), strict=True)


@case
def a_reason_that_is_no_text_is_not_taken():
    origin = Origin()
    with Serve(site(origin)) as gate:
        wait_for(lambda: is_up(gate), "the site up")
        for why in (b"a\0b", b"\x1b[2J", b"\x7f"):
            for order in (b"ban 192.0.2.7 60 - ", b"allow 192.0.2.7 60 - ", b"mode a.test guarded 60 "):
                assert "no line of text" in raw_ask(gate, order + why)["fault"], (order, why)
        assert raw_ask(gate, b"ban 192.0.2.7 60 - \xff\xfe\xc3(")["why"] == "\xff\xfe\xc3("
        assert "192.0.2.7" in ban(gate, "ban")
    origin.stop()


@case
def whom_a_person_allows_is_banned_only_by_who_means_it():
    origin = Origin()
    with Serve(site(origin)) as gate:
        wait_for(lambda: is_up(gate), "the site up")
        ban(gate, "allow", "127.0.2.0/24", "--why", "the ministry")
        for prefix in ("127.0.2.0/24", "127.0.2.1"):
            done = subprocess.run([GUIA, "ban", prefix, "-c", gate.config], capture_output=True, text=True, check=False, timeout=300)
            assert done.returncode == 2 and "127.0.2.0/24 is allowed" in done.stderr and "--force" in done.stderr, done
        assert ban(gate, "ban").count("allow") == 1 and answers(gate, "127.0.2.1") == 200
        ban(gate, "ban", "127.0.2.0/23")  # around it: the longer holds
        ban(gate, "ban", "127.0.2.1", "--force")
        wait_for(lambda: answers(gate, "127.0.2.1") == 0, "a refusal")
        assert answers(gate, "127.0.2.2") == 200
    origin.stop()


@case
def a_control_socket_that_somebody_removes_comes_back():
    origin = Origin()
    with Serve(site(origin)) as gate:
        wait_for(lambda: is_up(gate), "the site up")
        with stopped(gate.process.pid, watch_pid(gate)):  # or it is back before anybody asks
            (gate.run / "control").unlink()
            assert not is_up(gate)
        wait_for(lambda: is_up(gate), "an answer", seen=gate.said)
    origin.stop()


@case
def two_watches_do_not_share_a_folder_of_bans():
    origin = Origin()
    with Serve(site(origin)) as gate:
        wait_for(lambda: is_up(gate), "the site up")
        bans = next(l for l in (gate.run / "nginx.conf").read_text().splitlines() if "guia_bans" in l).split()[1].rstrip(";")
        done = subprocess.run([GUIA, "watch", "--run-dir", f"{gate.run}-other", "--events", events_folder(gate), "--bans", bans],
                              capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 3 and f"{bans}: another watch is running there" in done.stderr, done
    origin.stop()


@case
def a_site_that_a_person_made_local_is_so_until_its_end_also_without_a_watch():
    origin = Origin()
    home, stranger, allowed = "127.0.1.1", "127.0.2.1", "127.0.3.1"

    def page(source, path="/page"):
        return gate.curl(f"http://127.0.0.1:PORT{path}", "-H", "Host: a.test", "--interface", source)

    def is_kept_out():
        return page(stranger, "/missing")[0] == 503

    with Serve("home_networks: [127.0.1.0/24, '2001:db8::/32']\n" + site(origin)) as gate:
        wait_for(lambda: is_up(gate), "the site up")
        assert page(stranger)[0] == 200 and page(stranger, "/missing")[0] == 404
        ban(gate, "allow", allowed)
        said = ban(gate, "mode", "a.test", "local", "--for", "1h", "--why", "a test")
        assert said.startswith("local    a.test until 2") and said.endswith(": a test\n"), said
        wait_for(is_kept_out, "a stranger kept out")
        gate.looked()
        wait_for(lambda: "x-guia-copy:" in page(stranger)[2].lower(), "a copy that is older than the second it is fresh for")
        asked = origin.server.seen.count("/page")
        status_code, body, head = page(stranger)
        assert status_code == 200 and "page of everybody" in body and "x-guia-copy:" in head.lower(), head
        assert origin.server.seen.count("/page") == asked
        assert page(home, "/missing")[0] == 404 and page(allowed, "/missing")[0] == 404
        told = wait_for(lambda: of_site(gate).get("mode"), "what its mode is")
        assert told["mode"] == "local" and told["why"] == "a test" and told["seconds_left"] > 3500, told
        wait_for(lambda: of_site(gate)["mode"]["hits"] >= 2, "hits counted")
        screen = subprocess.run([GUIA, "status", "-c", gate.config], capture_output=True, text=True, check=False,
                                timeout=300).stdout
        assert f"a.test: local until {told['until'][:16]}" in screen, screen

        fetched = origin.server.seen.count("/")
        wait_for(lambda: origin.server.seen.count("/") > fetched, "the watch's own fetch of the origin")
        before = watch_pid(gate)
        os.kill(before, signal.SIGKILL)
        wait_for(lambda: watch_pid(gate) not in (None, before), "another watch")
        assert is_kept_out() and page(home, "/missing")[0] == 404
        assert "local    a.test until" in ban(gate, "mode")
        wait_for(lambda: of_site(gate).get("mode"), "what its mode is")
        assert of_site(gate)["mode"]["id"] == told["id"]
        ban(gate, "mode", "A.TEST", "open")
        wait_for(lambda: page(stranger, "/missing")[0] == 404, "the origin's answer")
        wait_while_it_lasts(lambda seconds: ban(gate, "mode", "a.test", "local", "--for", f"{seconds}s"), is_kept_out, "a stranger kept out")
        wait_for(lambda: page(stranger, "/missing")[0] == 404, "the end")
        assert ban(gate, "mode") == "every site is open\n" and "mode" not in of_site(gate)
    origin.stop()


@case
def whole_countries_and_lists_may_be_at_home():
    if not pathlib.Path("/var/lib/location/database.db").exists():
        raise Skip("there is no place data of libloc")
    origin = Origin()
    listed = write("ministries.txt", "# partners abroad\n192.0.2.0/24\n\n2001:db8:7::/48 # a ministry\n")
    with Serve(f"trusted_proxies: [127.0.5.0/24]\nhome_countries: [MO]\nhome_lists: {listed}\n" + site(origin)) as gate:
        wait_for(lambda: is_up(gate), "the site up")

        def page(client):
            return gate.curl("http://127.0.0.1:PORT/missing", "-H", "Host: a.test", "--interface", "127.0.5.1", "-H", f"X-Forwarded-For: {client}")[0]
        assert page("8.8.8.8") == 404
        said = ban(gate, "mode", "a.test", "local", "--for", "1h")
        assert re.search(r"home: MO as of 2\d\d\d-\d\d-\d\d", said), said
        wait_for(lambda: page("8.8.8.8") == 503, "a stranger kept out")
        gate.looked()
        for client, status_code in (("202.175.3.8", 404), ("2001:4860::1", 503), ("192.0.2.9", 404), ("2001:db8:7::9", 404),
                                    ("2001:db8:8::9", 503), ("198.51.100.1", 503)):
            assert page(client) == status_code, client
        fetched = origin.server.seen.count("/")
        wait_for(lambda: origin.server.seen.count("/") > fetched, "the watch's own fetch of the origin")
        before = watch_pid(gate)
        os.kill(before, signal.SIGKILL)
        wait_for(lambda: watch_pid(gate) not in (None, before), "another watch")
        for _ in range(20):
            assert page("202.175.3.8") == 404 and page("8.8.8.8") == 503
        gate.change(f"home_lists: {write('wrong.txt', '192.0.2.0/24' + chr(10) + '192.0.2.300')}\n" + site(origin))
        assert "wrong.txt:2" in gate.said() and "not taken" in gate.said(), gate.said()
        gate.change("home_countries: [Macau]\n" + site(origin))
        assert "two capitals" in gate.said(), gate.said()
    origin.stop()


@case
def an_order_of_a_mode_that_cannot_be_is_refused():
    origin = Origin()
    with Serve(site(origin) + f"  - host: '*.c.test'\n    origin: http://127.0.0.1:{origin.port}\n") as gate:
        wait_for(lambda: is_up(gate), "both up")
        ban(gate, "mode", "*.c.test", "guarded", "--for", "1s")
        for words, why in ((["b.test", "guarded"], "no such site"), (["www.c.test", "guarded"], "no such site"), (["a.test", "local"], "home_networks"),
                           (["a.test", "shut"], "not a mode"), (["a.test"], "which mode"),
                           (["a.test", "guarded", "--for", "0s"], "--for"), (["a b", "open"], "not a site"),
                           (["a.test", "guarded", "--why", "x" * 161], "--why")):
            done = subprocess.run([GUIA, "mode", *words, "-c", gate.config], capture_output=True, text=True, check=False,
                                  timeout=300)
            assert done.returncode == 2 and why in done.stderr, done
        wait_for(lambda: ban(gate, "mode") == "every site is open\n", "the end of the only one")
    origin.stop()


@case
def a_proxy_written_with_more_bits_than_its_network_has_does_not_keep_the_watch():
    origin = Origin()
    with Serve("trusted_proxies: [127.0.5.9/24, '2001:db8::1/64']\n" + site(origin)) as gate:
        wait_for(lambda: is_up(gate), "the site up")
        assert "the watch ended" not in gate.said(), gate.said()
        assert answers(gate, "127.0.5.1", "-H", "X-Forwarded-For: 192.0.2.7") == 200
    origin.stop()


@case
def a_reload_gives_the_watch_the_new_sites():
    origin = Origin()
    with Serve(site(origin)) as gate:
        wait_for(lambda: is_up(gate), "the site up")
        gate.get("/?q=evil")
        gate.change(site(origin) + f"  - host: b.test\n    origin: http://127.0.0.1:{origin.port}\n")
        wait_for(lambda: status(gate).get("probes") == 2 and is_up(gate), "both up")
        wait_for(lambda: of_site(gate)["ended"]["block"] == {"rule": 1} and of_site(gate, "b.test")["probe"]["up"], "both sites' sums",
                 seen=lambda: status(gate))
        gate.change(site(origin))
        wait_for(lambda: status(gate).get("probes") == 1 and is_up(gate), "one up")
        wait_for(lambda: "b.test" not in [s["site"] for s in status(gate)["sites"]], "the one that was removed gone",
                 seen=lambda: status(gate))
        assert "the watch ended" not in gate.said()
    origin.stop()


@case
def a_reload_makes_folders_again_that_somebody_removed():
    origin = Origin()
    with Serve(site(origin)) as gate:
        wait_for(lambda: is_up(gate), "the site up")
        bans = pathlib.Path(next(l for l in (gate.run / "nginx.conf").read_text().splitlines() if "guia_bans" in l).split()[1].rstrip(";"))
        shutil.rmtree(events_folder(gate))
        shutil.rmtree(bans)
        wait_for(lambda: status(gate).get("workers") == 0, "that the gate tells nothing", seen=lambda: status(gate))
        gate.change(site(origin))
        wait_for(lambda: status(gate).get("workers", 0) >= 2 and is_up(gate), "what the gate tells", seen=lambda: (status(gate), gate.said()))
        ban(gate, "ban", "127.0.2.1")
        wait_for(lambda: answers(gate, "127.0.2.1") == 0, "a refusal")
    origin.stop()


@case
def a_watch_that_cannot_run_does_not_keep_the_gate():
    origin = Origin()
    with Serve(site(origin)) as gate:
        wait_for(lambda: is_up(gate), "the site up")
        with stopped(gate.process.pid):  # or another watch may have come first
            os.kill(watch_pid(gate), signal.SIGKILL)
            (gate.run / "control").unlink()
            (gate.run / "control").mkdir()  # no socket can be made there
        wait_for(lambda: gate.said().count("the watch ended") >= 3, "three attempts")
        assert gate.get("/")[0] == 200 and "started again in 4 s" in gate.said(), gate.said()
        (gate.run / "control").rmdir()
        wait_for(lambda: is_up(gate), "the site up")
    origin.stop()


@case
def killed_serve_leaves_no_watch_and_the_next_one_clears_up():
    origin = Origin()
    with Serve(site(origin)) as gate:
        wait_for(lambda: is_up(gate), "the site up")
        pid, folder, nginx = watch_pid(gate), events_folder(gate), gate.nginx_pids()
        gate.process.kill()
        gate.process.wait()
        wait_for(lambda: not alive(nginx | {pid}), "the end of all")
        gate.start()
        wait_for(lambda: is_up(gate), "the site up")
        if str(folder).startswith("/dev/shm/"):
            assert not folder.exists() and events_folder(gate).exists()
    origin.stop()


def memory_of(gate):
    beside = pathlib.Path(f"{gate.run}.bans")
    return (beside if beside.exists() else gate.run / "bans") / "memory"


def kept(gate):
    """Requests of quiet days that the watch knows; None while there is no watch."""
    return next((s.get("quiet_requests_kept") for s in status(gate).get("sites", []) if s["site"] == "a.test"), None)


def start_anew(gate, spoil=None):
    """Ends and starts the gate, and says what the watch then knew."""
    assert gate.end() == 0
    if spoil:
        spoil()
    gate.start()
    return wait_for(lambda: is_up(gate) and kept(gate), "the site up, and what is known of it")


@case
def what_was_learned_outlasts_a_restart_and_nothing_damaged_is_believed():
    origin = Origin()
    with Serve(site(origin)) as gate:
        wait_for(lambda: is_up(gate), "the site up")
        for _ in range(300):
            gate.get("/")
        many = wait_for(lambda: (kept(gate) or 0) >= 300 and kept(gate), "three hundred requests kept")
        memory, key = memory_of(gate), gate.run / "events.key"
        first = key.read_bytes()
        assert len(first) == 16 and key.stat().st_mode & 0o077 == 0 and (events_folder(gate) / "key").read_bytes() == first
        assert start_anew(gate) >= many and "learned anew" not in gate.said(), gate.said()
        assert (events_folder(gate) / "key").read_bytes() == first
        assert b"a.test" not in memory.read_bytes() and first not in memory.read_bytes()
        whole = memory.read_bytes()
        other = bytearray(whole)
        other[8] ^= 0xff
        damaged = bytearray(whole)
        damaged[len(whole) // 2] ^= 1
        for content, why in ((whole[:-1], "cut short"), (b"", "cut short"), (b"x" * 4096, "no baselines"), (other, "another version"),
                             (damaged, "damaged")):
            now = start_anew(gate, lambda: memory.write_bytes(content))
            assert now < 300 and why in gate.said() and "learned anew" in gate.said(), (why, now, gate.said())
        assert start_anew(gate, lambda: memory.write_bytes(whole)) >= many, "it was not the files' names"
        now = start_anew(gate, lambda: key.write_bytes(first[:15]))
        assert now < 300 and "was no key" in gate.said() and "another key" in gate.said(), (now, gate.said())
        assert len(key.read_bytes()) == 16 and key.read_bytes() != first
    origin.stop()


@case
def a_service_manager_hears_of_serve():
    origin = Origin()
    with Manager(FOLDER / "notify") as manager:
        env = {**os.environ, "NOTIFY_SOCKET": str(FOLDER / "notify"), "WATCHDOG_USEC": "1000000"}
        with Serve(site(origin), env=env) as gate:
            wait_for(lambda: len(manager.said) >= 4, "signs of life", seen=lambda: manager.said)
            assert manager.said[:4] == [b"READY=1"] + [b"WATCHDOG=1"] * 3, manager.said
            wait_for(lambda: is_up(gate), "the site up")
            gate.change(site(origin))
            wait_for(lambda: b"WATCHDOG_USEC=1000000" in manager.said, "the reload", seen=lambda: manager.said)
            patience = [word for word in manager.said if word.startswith(b"WATCHDOG_USEC=")]
            assert patience == [b"WATCHDOG_USEC=600000000", b"WATCHDOG_USEC=1000000"], manager.said
            gate.end()
            wait_for(lambda: b"STOPPING=1" in manager.said, "word of the end", seen=lambda: manager.said)
            assert set(manager.said[1:]) <= {b"WATCHDOG=1", b"STOPPING=1", *patience}, manager.said
    origin.stop()


main()
