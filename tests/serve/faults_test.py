"""guia serve and what goes wrong: the disk, the machine, the origin, signals, and new configurations that do not do. TAP."""
import contextlib
import http.client
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading
import time

from harness import FOLDER, GUIA, RULE_FILE, PATIENCE, Origin, Serve, Skip, alive, case, free_port, guia, main, site, wait_for, write
from namespaces import Disk, in_namespace, namespace
import processes

COMMON = ("--site", "a.test=http://127.0.0.1:1")


# ---- the machine ----

@case
def a_missing_or_broken_module_or_nginx_is_told():
    apart = FOLDER / "apart"
    (apart / "rules").mkdir(parents=True)
    (apart / "bin").mkdir()
    program = shutil.copy(GUIA, apart / "bin/guia")
    words = [program, "serve", "--listen", f"127.0.0.1:{free_port()}", *COMMON]

    def fails(*more):
        done = subprocess.run([*words, *more], capture_output=True, check=False, timeout=300)
        assert done.returncode == 3, done
        return done.stderr.decode()
    assert "ngx_http_guia_module.so is neither" in fails()
    (apart / "bin/ngx_http_guia_module.so").write_bytes(b"no module")
    assert "guia-crs.conf" in fails()
    shutil.copytree(GUIA.parent.parent / "rules", apart / "rules", dirs_exist_ok=True)
    assert "dlopen() " in fails()
    namespace()
    code, said = in_namespace("mount -t tmpfs none /usr/sbin && mount -t tmpfs none /usr/local && exec \"$@\"", *words)
    assert code == 3 and "there is no nginx" in said, said


@case
def a_start_that_fails_leaves_nothing_behind():
    temp = FOLDER / "temp"
    temp.mkdir(mode=0o755)
    bad = write("bad-rules.conf", "SecNonsense\n")
    config = write("bad-rules.yaml", f"rules: {bad}\nlisten: 127.0.0.1:{free_port()}\nsites:\n  - host: a.test\n"
                   "    origin: http://127.0.0.1:1\n")
    for command in ("serve", "check"):
        done = subprocess.run([GUIA, command, "-c", config], capture_output=True, check=False, timeout=300,
                              env={"PATH": "/usr/bin", "TMPDIR": str(temp), "HOME": str(FOLDER)})
        assert done.returncode == 2 and b"SecNonsense" in done.stderr, done
        assert not list(temp.iterdir()), list(temp.iterdir())


@case
def no_permission_is_told():
    if os.geteuid() != 0:
        raise Skip("needs another user")
    mine = FOLDER / "mine"
    mine.mkdir(mode=0o755)

    def fails(*words, code=3):
        done = subprocess.run([GUIA, "serve", *words, *COMMON], capture_output=True, check=False, timeout=300, user=65534,
                              env={"PATH": "/usr/bin", "HOME": "/nonexistent"})
        assert done.returncode == code, done
        return done.stderr.decode()
    free = f"127.0.0.1:{free_port()}"
    lowest = int(pathlib.Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    if lowest > 1:
        assert "only root may use ports below 1024" in fails("--listen", f"127.0.0.1:{lowest - 1}")
    err = fails("--listen", free, "--run-dir", str(mine / "run"))
    assert str(mine) in err and ("denied" in err or "may not" in err), err
    secret = FOLDER / "secret.yaml"
    secret.write_text("sites: []\n")
    secret.chmod(0o600)
    done = subprocess.run([GUIA, "serve", "-c", secret], capture_output=True, check=False, timeout=300, user=65534)
    assert done.returncode == 3 and b"Permission denied" in done.stderr, done
    rules = FOLDER / "secret.conf"
    rules.write_text("SecRuleEngine On\n")
    rules.chmod(0o600)
    config = write("secret-rules.yaml", f"listen: {free}\nrules: {rules}\nsites:\n  - host: a.test\n    origin: http://127.0.0.1:1\n")
    os.chmod(config, 0o644)
    done = subprocess.run([GUIA, "check", "-c", config], capture_output=True, check=False, timeout=300, user=65534)
    assert done.returncode in (2, 3) and b"secret.conf" in done.stderr, done


@case
def check_finds_a_run_dir_that_serve_could_not_use():
    if os.geteuid() != 0:
        raise Skip("needs root, to be another user")
    place = FOLDER / "place"
    for name, mode, owner in (("", 0o755, 0), ("theirs", 0o700, 65534), ("open", 0o755, 0), ("closed", 0o700, 0)):
        (place / name).mkdir()
        (place / name).chmod(mode)
        os.chown(place / name, owner, -1)
    (place / "file").write_text("")
    words = ["check", "--listen", f"127.0.0.1:{free_port()}", *COMMON, "--run-dir"]
    before = sorted(place.rglob("*"))
    for name, part in (("theirs", "belongs to nobody"), ("open", "nobody else may read"), ("file", "a folder of yours"),
                       ("nowhere/run", "No such file"), ("closed/run", "may not pass through")):
        err = guia(*words, str(place / name), code=3)
        assert part in err and str(place / name) in err, (name, err)
    guia(*words, str(place / "run"), code=0)
    assert sorted(place.rglob("*")) == before
    config = write("other.yaml", f"listen: 127.0.0.1:{free_port()}\nrun_dir: {place / 'run'}\nrules: {RULE_FILE}\n"
                   "sites:\n  - host: a.test\n    origin: http://127.0.0.1:1\n")
    for path in (config, RULE_FILE):
        os.chmod(path, 0o644)
    done = subprocess.run([GUIA, "check", "-c", config], capture_output=True, check=False, timeout=300, user=65534)
    assert done.returncode == 3 and b"run directory" in done.stderr, done


@case
def check_finds_an_address_that_is_not_here():
    for command in ("check", "serve"):
        assert "cannot listen at 192.0.2.1:80" in guia(command, "--listen", "192.0.2.1:8080", *COMMON, code=3)


@case
def a_warning_about_rules_is_logged_once():
    rules = write("warned.conf", 'SecRule ARGS "@lt x" "id:70001,phase:1,pass,nolog"\n')
    origin = Origin()
    with Serve(site(origin, f"    rules: {rules}\n")) as serve:
        log = (serve.run / "error.log").read_text()
    origin.stop()
    assert log.count('"x" is no number') == 1, log


@case
def a_full_disk_at_the_start_is_told():
    namespace()
    code, said = in_namespace(
        'mkdir -p "$1" && mount -t tmpfs -o size=64k,mode=755 none "$1" && mkdir -m 700 "$1/run" && '
        'head -c 1m /dev/zero >"$1/fill" 2>/dev/null; shift; exec "$@"', FOLDER / "full", GUIA, "serve", "--listen",
        f"127.0.0.1:{free_port()}", "--run-dir", FOLDER / "full/run", *COMMON)
    assert code == 3 and "No space left on device" in said, (code, said)


@case
def a_disk_that_fills_up_stops_no_pages():
    origin = Origin()
    with Disk(96) as disk, Serve(site(origin), folder=disk.place) as gate:
        assert gate.get("/first")[0] == 200
        disk.fill()
        time.sleep(1.1)
        for path in ("/first", "/second", "/large-page", "/large-page", "/large-other"):
            status, body, _ = gate.get(path)
            assert status == 200 and (len(body) > 300000) == path.startswith("/large"), (path, status, len(body))
        assert gate.get("/?q=evil")[0] == 403, "the records have no room, the verdict stands"
        status, body, _ = gate.curl("http://127.0.0.1:PORT/form", "-H", "Host: a.test", "-d", "a=" + "x" * 20000)
        assert status == 200 and "got 20002" in body, (status, body)
        status, _, _ = gate.curl("http://127.0.0.1:PORT/form", "-H", "Host: a.test", "--data-binary", "@-",
                                 data=b"x" * 1000000)
        assert status == 500, "an upload that needs the disk is refused"
        gate.change(site(origin, "  - host: b.test\n    origin: http://127.0.0.1:1\n"))
        assert "not taken" in gate.said() and "No space left" in gate.said(), gate.said()
        assert gate.get("/third")[0] == 200
        disk.free()
        time.sleep(1.1)
        status, _, _ = gate.curl("http://127.0.0.1:PORT/form", "-H", "Host: a.test", "--data-binary", "@-",
                                 data=b"x" * 1000000)
        assert status == 200
        assert gate.get("/kept")[0] == 200
        # It is logged after its copy has been put where it is found.
        wait_for(lambda: "/kept" in (gate.run / "access.log").read_text(), "a line of it")
        origin.stop()
        assert gate.get("/kept")[0] == 200, "copies are kept again"
        assert gate.end() == 0


# Two workers need 13 MB each, and as much again while a reload lasts.
SMALL, LARGE = (("unshare", "-m", "sh", "-c", f'mount -t tmpfs -o size={size}m none /dev/shm && exec "$@"', "sh") for size in (4, 64))


@case
def too_little_room_for_events_is_told_and_stops_no_pages():
    origin = Origin()
    with Disk(8) as disk, Serve(site(origin), folder=disk.place, prefix=SMALL) as gate:
        place = f"{gate.run}.events" if os.geteuid() == 0 else f"{gate.run}/events"
        told = f" MB in {place}, where "
        assert "warning: events need " in gate.said() and told in gate.said() and "without telling the watch" in gate.said(), gate.said()
        assert gate.get("/")[0] == 200 and gate.get("/?q=evil")[0] == 403
        logged = f'guia_events: "{place}" has no room for the 13 MB of this worker'
        wait_for(lambda: logged in (gate.run / "error.log").read_text(), "the gate's own word of it")
        assert told in (gate.run / "guia.log").read_text()
        done = subprocess.run([*SMALL, GUIA, "check", "-c", gate.config], capture_output=True, check=False, timeout=300)
        assert done.returncode == 0 and told in done.stderr.decode(), done
        subprocess.run(["mount", "-o", "remount,size=96m", disk.place], check=True)
        gate.change(site(origin))
        assert gate.said().count(told) == 1, "there is room now: " + gate.said()
        wait_for(lambda: pathlib.Path(place, "worker-0").exists(), "a worker that tells")
        assert gate.get("/")[0] == 200
    origin.stop()


@case
def memory_that_is_too_small_for_events_is_told():
    namespace()
    origin = Origin()
    if subprocess.run(["stat", "-f", "-c", "%T", FOLDER], capture_output=True, check=True).stdout.strip() in (b"tmpfs", b"ramfs"):
        raise Skip("the run directory is in memory too")
    with Serve(site(origin), prefix=SMALL) as gate:
        place = f"{gate.run}.events" if os.geteuid() == 0 else f"{gate.run}/events"
        told = f" MB in memory, and /dev/shm has 4 MB free: they are kept in {place}"
        assert "warning: events need " in gate.said() and told in gate.said() and gate.get("/")[0] == 200, gate.said()
        wait_for(lambda: pathlib.Path(place, "worker-0").exists(), "a worker that tells")
        assert "telling" not in (gate.run / "error.log").read_text()
    with Serve(site(origin), prefix=LARGE) as gate:
        assert "events need" not in gate.said(), gate.said()
    origin.stop()


# ---- the origin ----

def unavailable(answer):
    status, body, headers = answer
    assert status == 503 and "\u670d\u52d9" in body and "Servi\u00e7o" in body and "temporarily unavailable" in body, answer
    assert headers["Retry-After"] and headers["Cache-Control"] == "no-store", headers
    return True


@case
def an_origin_that_is_down_or_dies_gives_the_copy_or_a_plain_page():
    origin = Origin()
    nowhere = "  - host: nowhere.test\n    origin: http://no-such-name.invalid\n"
    with Serve(site(origin, nowhere)) as gate:
        assert "the name of the origin http://no-such-name.invalid is not known" in gate.said()
        assert unavailable(gate.get("/", host="nowhere.test"))
        assert gate.get("/page")[0] == 200
        assert unavailable(gate.get("/dies"))
        status, body, _ = gate.curl("http://127.0.0.1:PORT/dies", "-H", "Host: a.test", "-d", "pay=1")
        assert status == 503 and "temporarily" in body, (status, body)
        assert origin.server.posts == [("/dies", b"pay=1")], "what is not safe to repeat is not repeated"
        origin.stop()
        time.sleep(1.1)
        for headers in ({}, {"Cookie": "sid=ana"}):
            status, body, _ = gate.get("/page", **headers)
            assert status == 200 and "everybody" in body, (headers, status, body)
        assert unavailable(gate.get("/another"))
        for words in (["-I"], ["-X", "PUT"], ["-d", "a=b"], ["-H", "Accept: text/event-stream"]):
            status, _, head = gate.curl("http://127.0.0.1:PORT/another", "-H", "Host: a.test", *words)
            assert status == 503 and "Retry-After" in head, (words, status, head)
        assert gate.curl("http://127.0.0.1:PORT/page", "-H", "Host: a.test", "-I")[0] == 200
        assert gate.get("/another?q=evil")[0] == 403


@case
def a_name_that_leads_to_guia_itself_is_not_asked():
    namespace()
    origin = Origin()
    hosts = write("hosts", "127.0.0.1 localhost\n192.0.2.1 own-name\n127.0.0.1 own-name\n")
    prefix = ("unshare", "-m", "sh", "-c", f'mount --bind {hosts} /etc/hosts && exec "$@"', "sh")
    with Serve(site(origin), prefix=prefix) as gate:
        gate.change(site(origin, f"  - host: own.test\n    origin: http://own-name:{gate.port}\n"))
        told = f"warning: own.test: the name of the origin http://own-name:{gate.port} leads to Guia itself, which listens at 127.0.0.1:{gate.port}"
        assert told in gate.said() and "reloaded: 2 sites" in gate.said(), gate.said()
        wait_for(lambda: gate.curl("http://127.0.0.1:PORT/", "-H", "Host: own.test")[0] == 503, "the new configuration")
        assert gate.get("/")[0] == 200
        gate.change(site(origin, f"  - host: own.test\n    origin: http://own-name:{free_port()}\n"))
        assert gate.said().count(" leads to Guia itself") == 1, gate.said()
    origin.stop()


# ---- signals ----

def refuses(port):
    try:
        socket.create_connection(("127.0.0.1", port), 60).close()
    except OSError:
        return True
    return False


def ask_slowly(gate, answers):
    def run():
        try:
            answers.append(gate.get("/slow")[0])
        except (OSError, http.client.HTTPException) as error:
            answers.append(repr(error))
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


@case
def term_lets_a_request_in_flight_finish_and_a_second_one_does_not():
    for twice in (False, True):
        origin, answers = Origin(), []
        with Serve(site(origin), drain_seconds=60) as gate:
            thread = ask_slowly(gate, answers)
            wait_for(lambda: "/slow" in origin.server.asked, "the request at the origin")
            pids = gate.nginx_pids()
            gate.process.send_signal(signal.SIGTERM)
            wait_for(lambda: "ending" in gate.said(), "the end to begin")
            wait_for(lambda: refuses(gate.port), "a gate that ends to take no new connections")
            if twice:
                gate.process.send_signal(signal.SIGTERM)
            else:
                origin.server.release.set()
            assert gate.process.wait(PATIENCE) == 0
            thread.join(PATIENCE)
            assert (answers == [200]) != twice, (twice, answers)
            wait_for(lambda: not alive(pids), "the end of nginx")
        origin.stop()


@case
def a_request_that_never_ends_does_not_keep_the_gate():
    origin = Origin()
    with Serve(site(origin)) as gate, socket.create_connection(("127.0.0.1", gate.port), 60) as client:
        client.sendall(b"GET /events HTTP/1.1\r\nHost: a.test\r\nAccept: text/event-stream\r\n\r\n")
        assert client.recv(100)
        assert gate.end() == 0, "drain_seconds is 2 here"
    origin.stop()


@case
def a_worker_that_is_killed_is_replaced():
    origin = Origin()
    with Serve(site(origin)) as gate:
        master = int((gate.run / "nginx.pid").read_text())
        for _ in range(2):
            for pid in processes.children(master):
                if "worker" in processes.title(pid):
                    os.kill(pid, signal.SIGKILL)
            wait_for(lambda: works(gate), "a new worker")
        assert gate.process.poll() is None and gate.end() == 0
    origin.stop()


def works(gate):
    with contextlib.suppress(OSError, http.client.HTTPException):
        return gate.get("/")[0] == 200


@case
def no_orphan_is_left_if_serve_and_the_master_are_killed_at_once():
    origin = Origin()
    with Serve(site(origin)) as gate:
        wait_for(lambda: len(gate.nginx_pids()) >= 3, "the master and its workers")
        pids = gate.nginx_pids()
        gate.process.send_signal(signal.SIGSTOP)
        os.kill(int((gate.run / "nginx.pid").read_text()), signal.SIGKILL)
        gate.process.kill()
        gate.process.wait()
        wait_for(lambda: not alive(pids), f"the end of {pids}")
    origin.stop()


@case
def a_run_directory_is_taken_up_after_a_kill():
    origin = Origin()
    with Serve(site(origin)) as gate:
        assert gate.get("/page")[0] == 200
        left = pathlib.Path(str(gate.run) + ".workers") if os.geteuid() == 0 else gate.run / "workers"
        pids = gate.nginx_pids()
        gate.process.kill()
        gate.process.wait()
        wait_for(lambda: not alive(pids), "the end of nginx")
        (left / "temp/proxy").mkdir(exist_ok=True)
        half = "half a page without a verdict"
        (left / "temp/proxy/0000000001").write_text(half)
        gate.start()
        assert gate.get("/page")[0] == 200
        assert not [path for path in left.glob("temp/proxy/*") if half in text_of(path)]  # new ones have such names, for a moment
        origin.stop()
        time.sleep(2.1)
        assert gate.get("/page")[0] == 200, "copies survive"


def text_of(path):
    """"": it is no more, or no file."""
    with contextlib.suppress(OSError):
        return path.read_text(errors="replace")
    return ""


def reopens(user):
    origin = Origin()
    with Serve(site(origin), user) as gate:
        assert gate.get("/?q=evil")[0] == 403
        names = ("guia.log", "error.log", "access.log", "audit.log")
        wait_for(lambda: (gate.run / "audit.log").stat().st_size > 0, "a record")
        for name in names:
            (gate.run / name).rename(gate.run / f"{name}.1")
        gate.process.send_signal(signal.SIGUSR1)
        wait_for(lambda: all((gate.run / name).exists() for name in names), "new files")
        wait_for(lambda: gate.get("/?q=evil")[0] == 403 and (gate.run / "audit.log").stat().st_size > 0,
                 "a record in the new file")
        assert all(not (gate.run / name).stat().st_mode & 0o077 for name in names), "they are private"
        gate.process.send_signal(signal.SIGUSR2)
        assert gate.get("/")[0] == 200
        return gate, origin


@case
def usr1_reopens_the_logs_and_a_closed_stderr_kills_nobody():
    if os.geteuid() == 0:
        reopens(65534)[1].stop()
    gate, origin = reopens(None)
    port = free_port()
    config = write("pipe.yaml", gate.text.replace(str(gate.port), str(port)).replace(str(gate.run), str(gate.run) + "2") +
                   site(origin))
    process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", GUIA, "serve", "-c", config], stderr=subprocess.PIPE)
    while b"serving" not in process.stderr.readline():
        assert process.poll() is None
    process.stderr.close()
    for number in (signal.SIGHUP, signal.SIGUSR1):
        process.send_signal(number)
        time.sleep(0.5)
        assert process.poll() is None, number
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    origin.stop()


# ---- new configurations ----

@case
def a_new_configuration_that_does_not_do_leaves_the_old_one():
    origin = Origin()
    with socket.socket() as taken, Serve(site(origin)) as gate:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        good = site(origin)
        good_text = gate.text + good
        text = gate.text
        garbage = write("garbage.pem", "garbage")
        pattern = write("re.conf", 'SecRule ARGS "@rx (" "id:1,phase:1"')
        bad = {
            "": "sites", "sites: [": "", "\0": "", "\xff\xfe": "", "a: &a [*a]": "", "sites: {}\n": "list of sites",
            text: "no site", text + good + "lisen: 1\n": "unknown key `lisen`",
            text + good.replace("a.test", "A.test;"): "host", text + good + good[7:]: "two sites",
            text.replace(RULE_FILE, "/nowhere.conf") + good: "nowhere.conf",
            text + good + f"rules_before: {write('no.conf', 'SecRule ARGS')}\n": "no.conf:1",
            text + good + f"rules_before: {pattern}\n": "re.conf:1",
            text + good + f"certificate: {garbage}\nkey: {garbage}\nlisten_tls: 127.0.0.1:{free_port()}\n": "garbage.pem",
            text.replace(f"listen: 127.0.0.1:{gate.port}", f"listen: [127.0.0.1:{gate.port}, "
                         f"127.0.0.1:{taken.getsockname()[1]}]") + good: "another program uses this port",
            text + good + f"evidence: {{folder: {RULE_FILE}}}\n": "it is no folder",
            text.replace("workers: 2", "workers: 0") + good: "workers", text + good.replace("http:", "ftp:"): "origin",
        }
        for content, part in bad.items():
            before = gate.said().count("not taken")
            pathlib.Path(gate.config).write_bytes(content.encode("latin-1"))
            gate.process.send_signal(signal.SIGHUP)
            wait_for(lambda: gate.said().count("not taken") > before, f"a refusal of {content!r}")
            assert part in gate.said().rpartition("reloading")[2], (content, gate.said()[-2000:])
            assert gate.get("/")[0] == 200 and gate.get("/?q=evil")[0] == 403, content
        for spoil in (lambda p: p.unlink(), lambda p: p.mkdir(), lambda p: (p.rmdir(), p.symlink_to("/nowhere"))):
            before = gate.said().count("not taken")
            spoil(pathlib.Path(gate.config))
            gate.process.send_signal(signal.SIGHUP)
            wait_for(lambda: gate.said().count("not taken") > before, "a refusal")
            assert gate.get("/")[0] == 200
        pathlib.Path(gate.config).unlink()
        pathlib.Path(gate.config).write_text(good_text)
        gate.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "reloaded" in gate.said(), "the reload")
        assert gate.get("/")[0] == 200
        # several at once are one or more reloads, and no harm
        for _ in range(5):
            gate.process.send_signal(signal.SIGHUP)
        wait_for(lambda: gate.said().count("reloaded") >= 2, "the reload")
        assert gate.get("/")[0] == 200
        gate.process.send_signal(signal.SIGHUP)
        assert gate.end() == 0, "an end is heard while it reloads"
    origin.stop()


@case
def a_reload_takes_new_addresses_and_settings():
    origin, port = Origin(), free_port()
    with Serve(site(origin)) as gate:
        gate.text = gate.text.replace(f"listen: 127.0.0.1:{gate.port}", f"listen: [127.0.0.1:{gate.port}, 127.0.0.1:{port}]")
        gate.change(site(origin, "    detect: true\n"))
        gate.port, old = port, gate.port
        wait_for(lambda: works(gate), "the new address")
        wait_for(lambda: gate.get("/?q=evil")[0] == 200, "the new setting")
        gate.port = old
        assert works(gate)
    origin.stop()


if __name__ == "__main__":
    main()
