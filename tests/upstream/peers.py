"""Operators' routers for tests: GoBGP and BIRD as they are in Debian, and ExaBGP with Guia's keeper and watch before them. All
on loopback; where that may be, on one of our own."""
import contextlib
import ctypes
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import processes  # pylint: disable=wrong-import-position
from ports import free_port  # pylint: disable=wrong-import-position
from waiting import PATIENCE, wait_until  # pylint: disable=wrong-import-position,unused-import

OURS = "127.1.0.1"
OUR_AS = 65020


def have():
    return all(shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin") for name in ("exabgp", "gobgpd", "gobgp", "bird", "birdc"))


def alone():
    """A network namespace of our own, with nothing but loopback; False: we may not."""
    if os.geteuid() != 0 or ctypes.CDLL(None, use_errno=True).unshare(0x40000000) != 0:
        return False
    return subprocess.run([program("ip"), "link", "set", "lo", "up"], check=False).returncode == 0


def program(name):
    return shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")


class Process:
    """One program of ours, in the foreground; its output in a file."""

    def __init__(self, folder, name):
        self.folder, self.name, self.child = pathlib.Path(folder), name, None

    def run(self, *words, **more):
        with open(self.folder / f"{self.name}.log", "ab") as log:
            self.child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, **more)

    def runs(self):
        return self.child is not None and self.child.poll() is None

    def stop(self, how=signal.SIGTERM):
        if self.child is None:
            return
        self.child.send_signal(how)
        try:
            self.child.wait(60)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.child = None

    def log(self):
        return (self.folder / f"{self.name}.log").read_text(errors="replace")


class GoBGP(Process):
    address, peer_as = "127.1.0.2", 65010

    def __init__(self, folder, expects_as=OUR_AS):
        super().__init__(folder, "gobgp")
        self.port, self.api = free_port(self.address), free_port("127.0.0.1")
        families = "".join(f'  [[neighbors.afi-safis]]\n    [neighbors.afi-safis.config]\n      afi-safi-name = "{name}"\n'
                           for name in ("ipv4-unicast", "ipv6-unicast", "ipv4-flowspec", "ipv6-flowspec"))
        (self.folder / "gobgp.toml").write_text(f"""
[global.config]
  as = {self.peer_as}
  router-id = "{self.address}"
  port = {self.port}
  local-address-list = ["{self.address}"]
[[neighbors]]
  [neighbors.config]
    neighbor-address = "{OURS}"
    peer-as = {expects_as}
  [neighbors.transport.config]
    passive-mode = true
    local-address = "{self.address}"
{families}""")

    def start(self):
        self.run(program("gobgpd"), "-f", "gobgp.toml", "--api-hosts", f"127.0.0.1:{self.api}", "-l", "info")
        wait_until(lambda: self.ask("neighbor").returncode == 0, "GoBGP answers", seen=self.log)

    def ask(self, *words):
        return subprocess.run([program("gobgp"), "-p", str(self.api), *words], capture_output=True, text=True, check=False, timeout=300)

    def rib(self, *words):
        """What it is asked for, once it answers: its command waits for a second or so by itself."""
        done = [self.ask("global", "rib", *words)]
        wait_until(lambda: done[-1].returncode == 0 or done.append(self.ask("global", "rib", *words)), "GoBGP answers",
                   seen=lambda: (done[-1].stdout, done[-1].stderr, self.log()))
        return done[-1].stdout

    def flows(self, family="ipv4"):
        """-> {match: action} as GoBGP writes them"""
        found = {}
        for match, paths in json.loads(self.rib("-a", f"{family}-flowspec", "-j") or "{}").items():
            communities = [item for path in paths for a in path["attrs"] if a["type"] == 16 for item in a["value"]]
            found[match] = [item["rate"] for item in communities if item.get("subtype") == 6]
        return found

    def count(self):
        told = self.rib("summary", "-a", "ipv4-flowspec")
        return int(told.split("Destination:")[1].split(",")[0]) if "Destination:" in told else 0

    def routes(self, family="ipv4"):
        """-> {prefix: communities}"""
        return {prefix: [c for path in paths for a in path["attrs"] if a["type"] == 8 for c in a["communities"]]
                for prefix, paths in json.loads(self.rib("-a", family, "-j") or "{}").items()}


class Bird(Process):
    address, peer_as = "127.1.0.3", 65011

    def __init__(self, folder, password=None, flows=("flow4", "flow6")):
        super().__init__(folder, "bird")
        self.port = free_port(self.address)
        (self.folder / "bird.conf").write_text(f"""
router id {self.address};
flow4 table flows4;
flow6 table flows6;
protocol device {{}}
protocol bgp guia {{
    local {self.address} port {self.port} as {self.peer_as};
    neighbor {OURS} as {OUR_AS};
    passive yes;
    strict bind yes;
    multihop 2;
    {f'password "{password}";' if password else ''}
    ipv4 {{ import all; export none; }};
    ipv6 {{ import all; export none; }};
{"".join(f"    {flow} {{ table flows{flow[-1]}; import all; export none; }};" + chr(10) for flow in flows)}
}}
""")

    def start(self):
        self.run(program("bird"), "-f", "-c", "bird.conf", "-s", "bird.ctl")
        wait_until(lambda: "BIRD" in self.ask("show", "status"), "BIRD answers")

    def ask(self, *words):
        done = subprocess.run([program("birdc"), "-s", str(self.folder / "bird.ctl"), *words], capture_output=True, text=True, check=False, timeout=300)
        return done.stdout

    def flows(self, table="flows4"):
        """-> {match: action} as BIRD writes them"""
        found, last = {}, None
        for line in self.ask("show", "route", "table", table, "all").splitlines():
            if line.startswith("flow"):
                last = line.split("}")[0] + "}"
                found[last] = []
            elif last is not None and "generic" in line:
                found[last] = line.strip()
        return found

    def count(self):
        text = self.ask("show", "route", "table", "flows4", "count")
        return int(text.split("\n")[-2].split()[0]) if " routes" in text else 0

    def routes(self, table="master4"):
        return self.ask("show", "route", "table", table, "all")


class Table:
    """What ExaBGP would have announced; kept over the lives of its keeper. `up`: whose sessions are. `families`: what it tells of theirs."""

    def __init__(self):
        self.routes, self.announced, self.child, self.up = set(), [], None, []
        self.noise = ""  # told before it
        self.families = {name: "enabled" for name in ("ipv4 unicast", "ipv6 unicast", "ipv4 flow", "ipv6 flow")}

    def start(self, service, *before):
        self.child = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *before, service.guia, "upstream", "keep", "-c", str(service.config)], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        threading.Thread(target=self.serve, args=(self.child,), daemon=True).start()

    def serve(self, child):
        text = b""
        while chunk := os.read(child.stdout.fileno(), 16384):
            text += chunk
            *lines, text = text.split(b"\n")
            for line in lines:
                self.take(child, line.decode())
        assert text == b"", "half a line was left"

    def take(self, child, line):
        said = "done\n"
        if line == "show neighbor extensive":
            told = "".join(f"   {name + ':':20} {'enabled':>15} {agreed:>15} {'disabled':>15}\n" for name, agreed in self.families.items())
            said = self.noise + "".join(f"Neighbor {address}\n\n  Families                        Local          Remote        Add-Path\n{told}\n"
                           for address in self.up) + "done\n"
        elif line.startswith("show"):
            up = "".join(f"{address} 65010 0:00:01 established 1 1\n" for address in self.up)
            said = f"Peer            AS        up/down state       |     #sent     #recvd\n{up}done\n"
        elif " announce " in line:
            self.routes.add(line.split(" announce ")[1])
            self.announced.append(line.split(" announce ")[1])
        else:
            self.routes.discard(line.split(" withdraw ")[1])
        try:
            child.stdin.write(said.encode())
            child.stdin.flush()
        except (OSError, ValueError):  # it is killed, and stop() may have closed it
            pass

    def stop(self):
        self.child.kill()
        self.child.wait()
        with contextlib.suppress(OSError):  # what it was to be answered and was not
            self.child.stdin.close()


class Service:
    """`guia upstream configure`, ExaBGP, and with it the keeper."""

    def __init__(self, guia, folder, peers, extra="", top=""):
        self.guia, self.folder, self.directory = str(guia), pathlib.Path(folder), pathlib.Path(folder) / "keeper"
        self.exabgp = Process(folder, "exabgp")
        self.config = self.folder / "guia.yaml"
        self.write(peers, extra, top)
        self.watch = Process(folder, "watch")
        self.watch_words = []

    def write(self, peers, extra="", top=""):
        operators = "".join(f"""
  - name: {peer.name}
    peer: {peer.address}
    peer_port: {peer.port}
    peer_as: {peer.peer_as}
    local_as: {OUR_AS}
    local_address: {OURS}
    prefixes: [192.0.2.0/24, "2001:db8::/32"]
    protected: [192.0.2.53]
    next_hop: [192.0.2.1, "2001:db8::1"]
    rules: 2000
    changes_per_minute: 5000
{extra}""" for peer in peers)
        self.config.write_text("sites:\n  - host: a.test\n    origin: http://127.0.0.1:9\n"
                               f"upstream_dir: {self.directory}\n{top}operators:{operators}")

    def start(self):
        done = subprocess.run([self.guia, "upstream", "configure", "-c", str(self.config)], capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stderr
        self.exabgp.run(program("exabgp"), done.stdout.strip(), env={
            **os.environ, "exabgp.daemon.user": pwd.getpwuid(os.geteuid()).pw_name, "exabgp.api.cli": "false", "exabgp.api.ack": "true", "exabgp.log.level": "INFO"})
        wait_until(lambda: self.ask("status", patient=False) is not None, "the keeper answers", seen=self.exabgp.log)

    def ask(self, question, patient=True, path=None):
        """One question to the keeper, by its socket, or at another; None: nobody answers."""
        end = time.monotonic() + (60 if patient else 0)
        while True:
            try:
                with socket.socket(socket.AF_UNIX) as link:
                    link.settimeout(60)
                    link.connect(str(path or self.directory / "keeper"))
                    link.sendall(question.encode() + b"\n")
                    answer = b"".join(iter(lambda: link.recv(65536), b""))
                if answer:
                    return json.loads(answer)
            except OSError:
                pass
            if time.monotonic() >= end:
                return None
            time.sleep(0.02)

    def run(self, *words):
        return subprocess.run([self.guia, "upstream", *words, "-c", str(self.config)], capture_output=True, text=True, check=False, timeout=300)

    def well(self):
        """-> what it shows; "": something is as it should not be, or this machine is slow just now"""
        done = self.run()
        return "" if done.returncode else done.stdout

    def command(self, *words, code=0):
        """`guia upstream`, which exits with the code; None: with any."""
        done = self.run(*words)
        assert code in (None, done.returncode), (words, done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def keeper(self):
        """-> its process's id; None: there is none"""
        return next((child for child in processes.children(self.exabgp.child.pid) if processes.words(child)[1:3] == ["upstream", "keep"]), None)

    def up(self):
        answer = self.ask("status")
        return all(operator["session"] == "up" for operator in answer["operators"])

    def hold(self):
        """A watch is there."""
        self.watch.run(self.guia, "watch", "--run-dir", str(self.folder / "run"), "--upstream", str(self.directory),
                       "--bans", str(self.folder / "bans"), *self.watch_words)
        wait_until(lambda: self.ask("upstream", patient=False, path=self.folder / "run" / "control") is not None, "the watch answers",
                   seen=self.watch.log)
        wait_until(lambda: self.ask("status")["held"], "the watch holds rules")

    def let_go(self):
        """It is killed."""
        self.watch.stop(signal.SIGKILL)

    def stop(self):
        self.let_go()
        self.exabgp.stop()
