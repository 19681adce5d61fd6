#!/usr/bin/env python3
"""The same raw requests to a real nginx on loopback and to our parser: same status, same values, headers and body.

nginx logs what it made of a request and passes the accepted ones on to a server of this test's own, which keeps headers and
body. Prints TAP. Usage: nginx_parser.py DRIVER [COUNT] [SEED]
"""
import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(1, str(pathlib.Path(__file__).resolve().parent.parent))
import requests as generator  # noqa: E402
from ports import free_port  # noqa: E402
from waiting import PATIENCE  # noqa: E402

CONFIG = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 512; }}
http {{
	log_format values escape=json '{{"client":"$remote_addr","status":$status,"method":"$request_method",'
		'"request_uri":"$request_uri","uri":"$uri","args":"$args","protocol":"$server_protocol",'
		'"request":"$request","host":"$host","http_host":"$http_host"}}';
	access_log {folder}/access.log values;
	client_body_temp_path {folder}/body;
	proxy_temp_path {folder}/proxy;
	fastcgi_temp_path {folder}/fastcgi;
	uwsgi_temp_path {folder}/uwsgi;
	scgi_temp_path {folder}/scgi;
	keepalive_timeout 0;
	lingering_timeout 200ms;
	proxy_ignore_client_abort on;
	proxy_set_header Host "";
	proxy_set_header Connection "";
	proxy_set_header X-Test-Client $remote_addr;
	server {{
		listen 127.0.0.1:{ports[0]};
		location / {{ proxy_pass http://unix:{folder}/origin; }}
	}}
	server {{
		listen 127.0.0.1:{ports[1]};
		underscores_in_headers on;
		ignore_invalid_headers off;
		merge_slashes off;
		location / {{ proxy_pass http://unix:{folder}/origin; }}
	}}
}}
"""
# What nginx's proxy module sends anew or not at all.
NOT_PASSED = {b"host", b"connection", b"content-length", b"transfer-encoding", b"te", b"keep-alive", b"expect", b"upgrade"}


class Origin:
    """Keeps the headers and the body of every request that nginx passes on, by the client's address."""

    def __init__(self, path):
        self.seen = {}
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(64)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            data = b""
            while b"\r\n\r\n" not in data:
                piece = connection.recv(65536)
                if not piece:
                    return
                data += piece
            head, _, body = data.partition(b"\r\n\r\n")
            headers = [tuple(text.split(b": ", 1)) for text in head.split(b"\r\n")[1:]]
            named = {name.lower(): value for name, value in headers}
            while len(body) < int(named.get(b"content-length", b"0")):
                piece = connection.recv(65536)
                if not piece:
                    return
                body += piece
            self.seen[named[b"x-test-client"].decode()] = (headers, body)
            connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")


def start_nginx(folder):
    for _ in range(5):
        ports = [free_port(), free_port()]
        (folder / "nginx.conf").write_text(CONFIG.format(folder=folder, ports=ports))
        process = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        end = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", ports[1])).close()
                return process, ports
            except OSError:
                time.sleep(0.05)
        if process.poll() is None:
            process.kill()
            process.wait()
    raise SystemExit("nginx does not start: " + (folder / "error.log").read_text())


def address(number):
    """A loopback address of each request's own, by which log lines are told apart: ports come again."""
    return f"127.{64 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"


def exchange(client_address, port, wire):
    """Sends, ends the sending side, reads to the end."""
    with socket.socket() as client:
        client.settimeout(PATIENCE)
        client.bind((client_address, 0))
        client.connect(("127.0.0.1", port))
        try:
            client.sendall(wire)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                pass
        except OSError:
            pass  # refused while still sending: the log says how


def ask_nginx(folder, wires):
    """-> for each request the logged values, and headers and body as passed on (None if not)."""
    origin = Origin(str(folder / "origin"))
    process, ports = start_nginx(folder)
    try:
        clients = [address(number) for number in range(len(wires))]
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda client, each: exchange(client, ports[each[0]], each[1]), clients, wires))
        logged = read_log(folder / "access.log", len(wires))
        return [(logged.get(client), origin.seen.get(client)) for client in clients]
    finally:
        process.terminate()
        process.wait(PATIENCE)


def read_log(path, count):
    """-> the entries by client, once all have come or nothing comes any more."""
    logged = {}
    deadline = time.monotonic() + PATIENCE
    with open(path, encoding="latin-1") as log:
        while len(logged) < count and time.monotonic() < deadline:
            for text in log:
                entry = json.loads(text, strict=False)
                logged[entry["client"]] = entry
            time.sleep(0.02)
    return logged


def ask_ours(driver, wires):
    records = b"".join(b"%c %d\n" % (b"do"[which], len(wire)) + wire for which, wire in wires)
    output = subprocess.run([driver], input=records, stdout=subprocess.PIPE, check=True).stdout
    return [json.loads(text) for text in output.decode().splitlines()]


def latin(text):
    return text.encode("latin-1")


def fault(ours, logged, passed):
    """-> what differs, or None."""
    if logged is None:
        return "nginx logged nothing"
    if ours["status"] != logged["status"]:
        return f"status: ours {ours['status']}, nginx {logged['status']}"
    if ours["status"] != 200:
        return None
    for name in ("method", "request_uri", "uri", "args", "protocol", "request"):
        if ours[name] != logged[name]:
            return f"{name}: ours {ours[name]!r}, nginx {logged[name]!r}"
    if ours["host"] and ours["host"] != logged["host"]:
        return f"host: ours {ours['host']!r}, nginx {logged['host']!r}"
    if passed is None:
        return "nginx passed nothing on"
    headers = [(latin(name), latin(value)) for name, value in ours["headers"] if latin(name).lower() not in NOT_PASSED]
    theirs = [pair for pair in passed[0] if pair[0].lower() not in NOT_PASSED and pair[0] != b"X-Test-Client"]
    if headers != theirs:
        return f"headers: ours {headers}, nginx {theirs}"
    hosts = [value for name, value in ours["headers"] if name.lower() == "host"]
    if (hosts or [""])[0] != logged["http_host"]:
        return f"Host: ours {hosts}, nginx {logged['http_host']!r}"
    if latin(ours["body"]) != passed[1]:
        return f"body: ours {ours['body'][:99]!r}, nginx {passed[1][:99]!r}"
    return None


def report(number, title, faults):
    print(f"{'not ok' if faults else 'ok'} {number} - {title}")
    for text in faults[:20]:
        print(f"# {text}")
    return bool(faults)


def main():
    driver, count, seed = sys.argv[1], int((sys.argv[2:] or ["8000"])[0]), int((sys.argv[3:] or ["20240710"])[0])
    if shutil.which("nginx") is None:
        print("1..0 # SKIP no nginx")
        return 0
    r = random.Random(seed)
    wires = [(n % 4 == 3, generator.generate(r)) for n in range(count)]
    with tempfile.TemporaryDirectory(prefix="guia-nginx-parser-") as folder:
        answers = ask_nginx(pathlib.Path(folder), wires)
    ours = ask_ours(driver, wires)
    faults = []
    for (which, wire), own, (logged, passed) in zip(wires, ours, answers):
        text = fault(own, logged, passed)
        if text:
            faults.append(f"{'other options' if which else 'defaults'} {wire[:300]!r}: {text}")
    statuses = {}
    for own in ours:
        statuses[own["status"]] = statuses.get(own["status"], 0) + 1
    rare = [status for status in (200, 400, 405, 413, 414, 501, 505) if statuses.get(status, 0) < count // 1000]
    print("1..2")
    failed = report(1, f"{count} requests: nginx and the parser agree", faults)
    failed |= report(2, f"every status is well represented: {sorted(statuses.items())}", rare)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
