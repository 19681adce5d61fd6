"""What an attached edge does with packets off a cable: bans, allowances, ends, tags, fragments, IPv6, budgets, cookies, samples. TAP."""
import contextlib
import json
import pathlib
import socket
import subprocess
import sys

from world import FAR, attach, case, edge, holder, main, packets, passed, run, shown, wait_for, wait_while_it_lasts

@case
def bans_hold_and_are_lifted_and_allowances_are_stronger():
    attach()
    assert passed()
    holder("ban", "10.7.0.2")
    assert not passed() and passed("10.7.0.3")
    assert shown()["bans"]["IPv4 /32"] == 1 and packets("banned") >= 1, shown()
    assert shown()["mitigations"] == [{"mitigation": 7, "packets": packets("banned")}]
    holder("unban", "10.7.0.2")
    assert passed()
    holder("ban", "10.7.0.0/24")
    assert not passed() and not passed("10.7.0.3") and passed("10.7.1.2")
    holder("ban", "10.7.0.0/16")
    assert not passed("10.7.1.2")
    holder("allow", "10.7.0.3")
    assert passed("10.7.0.3") and not passed()
    assert packets("allowed in spite of a ban") >= 1
    holder("unban", "10.7.0.0/16")
    assert passed("10.7.1.2") and not passed()


@case
def ipv6_has_bans_of_three_lengths():
    attach()
    for prefix in ("fd07::2", "fd07::/64", "fd07::/48"):
        assert passed("fd07::2"), prefix
        holder("ban", prefix)
        assert not passed("fd07::2"), prefix
        holder("unban", prefix)
    holder("ban", "fd07::/56")
    assert not passed("fd07::2") and shown()["bans"]["IPv6 /64"] == 256
    holder("allow", "fd07::3")
    assert passed("fd07::3") and not passed("fd07::2")


@case
def a_ban_ends_by_itself():
    attach()
    wait_while_it_lasts(lambda seconds: holder("ban", "10.7.0.2", seconds * 1000), lambda: not passed(), "the ban")
    wait_for(passed, "the end of a ban")


@case
def in_front_of_the_network_stack_it_is_the_same():
    attach("--generic")
    holder("ban", "10.7.0.2")
    assert not passed() and passed("10.7.0.3")
    holder("allow", "10.7.0.2")
    assert passed()


def frame_of(tags, source):
    """An IPv4 datagram to port 9, in so many VLAN tags."""
    ip = "4500002000010000401100000a07" + source + "0a070001" + "00090009000c0000" + "00000000"
    return "ff" * 6 + "020000000002" + "".join(f"{kind}0005" for kind in tags) + "0800" + ip


@case
def tags_hide_nobody():
    attach()
    holder("ban", "10.7.0.2")
    for number, tags in enumerate((("8100",), ("88a8", "8100"), ("8100", "8100"))):
        before = packets("banned"), packets("passed")
        run(*holder_frame(frame_of(tags, "0003")), before=FAR)
        wait_for(lambda b=before: packets("passed") > b[1], "a tagged frame")
        run(*holder_frame(frame_of(tags, "0002")), before=FAR)
        wait_for(lambda b=before: packets("banned") == b[0] + 1, "a tagged frame of a banned one")
        assert number < 3


def holder_frame(text):
    return sys.argv[2], "-", "frame", "away", text


@case
def fragments_of_the_banned_do_not_pass_and_others_have_a_budget():
    attach("--fragments", 8)
    assert passed(size=4000)
    holder("ban", "10.7.0.2")
    assert not passed(size=4000)
    assert packets("banned") >= 3
    assert not passed("10.7.0.3", size=30000), "more fragments at once than the budget of a second"
    assert packets("fragment above the budget") > 0
    assert passed("10.7.0.3"), "what is whole passes"


@case
def datagrams_have_a_budget_that_no_allowance_bypasses():
    attach("--udp-port", 5, "--udp", 1000)
    holder("allow", "10.7.0.2")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as inside:
        inside.bind(("10.7.0.1", 0))
        port = inside.getsockname()[1]
        run(sys.executable, "-c", "import socket, sys\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
            "for _ in range(300): s.sendto(b'x', ('10.7.0.1', int(sys.argv[1])))", port, before=FAR)
        inside.settimeout(0.5)
        came = 0
        try:
            while inside.recv(10):
                came += 1
        except TimeoutError:
            pass
    assert 1 <= came < 150, came
    wait_for(lambda: packets("UDP above the budget") == 300 - came, "all 300")
    assert passed(), "another port has its own"


@case
def heads_of_packets_are_sampled():
    attach("--samples", 1000)
    holder("ban", "10.7.0.2")
    assert not passed() and passed("10.7.0.3")
    told = holder("samples", 2)
    assert "passed, " in told or "banned, " in told, told
    for _ in range(3):
        passed()
        passed("10.7.0.3")
    told = holder("samples", 6)
    assert "passed, 43 of 43 bytes\n" in told and "banned, 43 of 43 bytes\n" in told, told


NGINX = """
daemon off; master_process off; pid FOLDER/nginx.pid; error_log FOLDER/error.log; user root;
events { worker_connections 1000; }
http { access_log off; client_body_temp_path FOLDER/1; proxy_temp_path FOLDER/2; fastcgi_temp_path FOLDER/3; uwsgi_temp_path FOLDER/4;
scgi_temp_path FOLDER/5;
server { listen 10.7.0.1:8080 backlog=64; listen [fd07::1]:8080 backlog=64; return 200 "served\\n"; } }
"""
VISIT = """
import http.client, sys
for i in range(int(sys.argv[3])):
    c = http.client.HTTPConnection(sys.argv[2], 8080, timeout=int(sys.argv[4]), source_address=(sys.argv[1], 0))
    c.request("GET", "/")
    assert c.getresponse().read() == b"served\\n"
    c.close()
"""


RESIDENTS = """
import http.client
for i in range(1000):
    c = http.client.HTTPConnection("10.7.0.1", 8080, timeout=30, source_address=(f"10.9.{(i + 1) // 256}.{(i + 1) % 256}", 0))
    c.request("GET", "/")
    assert c.getresponse().read() == b"served\\n"
    c.close()
"""


def visits(source, count, patience=30):
    done = subprocess.run([*FAR, sys.executable, "-c", VISIT, source, "fd07::1" if ":" in source else "10.7.0.1", str(count), str(patience)],
                          capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def nginx(folder):
    folder.joinpath("nginx.conf").write_text(NGINX.replace("FOLDER", str(folder)))
    with subprocess.Popen(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]) as child:
        try:
            wait_for(lambda: b"10.7.0.1:8080" in subprocess.run(["ss", "-ltnH"], capture_output=True, check=True).stdout, "nginx")
            yield
        finally:
            child.terminate()


@case
def residents_whose_addresses_are_forged_stay_served(folder):
    """A thousand of them, while SYNs that say they are theirs are far above the budget."""
    pathlib.Path("/proc/sys/net/ipv4/tcp_syncookies").write_text("2")
    run("ip", "route", "add", "local", "10.9.0.0/16", "dev", "lo", before=FAR)
    run("ip", "route", "add", "10.9.0.0/16", "via", "10.7.0.2")
    attach("--syn", 200, "--syn-port", 100)
    with nginx(folder):
        visits("10.7.0.2", 1)
        with subprocess.Popen([*FAR, sys.argv[2], "-", "flood", "10.7.0.1", "8080", "100000000", "10.9.0.1", "1000"]) as flood:
            served = subprocess.run([*FAR, sys.executable, "-c", RESIDENTS], capture_output=True, text=True, check=False, timeout=240)
            going_on = flood.poll() is None
            flood.kill()
    assert served.returncode == 0 and going_on, served.stderr
    assert packets("SYN above the budget, answered with a cookie") > 10000 and packets("banned") == 0


@case
def spoofed_syns_leave_residents_their_connections_by_cookies(folder):
    cookies = pathlib.Path("/proc/sys/net/ipv4/tcp_syncookies")
    cookies.write_text("2")
    told = attach("--syn", 2, "--syn-port", 1)
    assert "left to the kernel" not in told and shown()["answers_syns"]
    with nginx(folder):
        visits("10.7.0.2", 1)
        visits("fd07::2", 1)
        run(sys.argv[2], "-", "flood", "10.7.0.1", "8080", "3000", "198.18.0.0", "100000", before=FAR)
        answered = packets("SYN above the budget, answered with a cookie")
        assert answered > 2000, shown()["reasons"]
        visits("10.7.0.2", 50)
        visits("fd07::2", 50)
        assert packets("SYN above the budget, answered with a cookie") > answered + 50, "these shook hands by our cookies"
        holder("ban", "10.7.0.2")
        try:
            visits("10.7.0.2", 1, 5)
            raise RuntimeError("a banned one was served")
        except (AssertionError, subprocess.TimeoutExpired):
            pass
        visits("10.7.0.3", 5)


def tracking(column):
    lines = [line.split() for line in pathlib.Path("/proc/net/stat/nf_conntrack").read_text().splitlines()]
    return sum(int(line[lines[0].index(column)], 16) for line in lines[1:])


@case
def a_host_that_tracks_connections_has_those_that_the_edge_answered(folder):
    """As a stateful filter has it do, which drops what is of no connection and begins none."""
    pathlib.Path("/proc/sys/net/ipv4/tcp_syncookies").write_text("2")
    run("nft", "table inet guia_test { chain input { type filter hook input priority filter; policy accept; ct state invalid drop; }; }")
    try:
        with nginx(folder):
            visits("10.7.0.2", 1)
            attach("--syn", 2, "--syn-port", 1)
            visits("10.7.0.2", 1)
            visits("fd07::2", 1)
            run(sys.argv[2], "-", "flood", "10.7.0.1", "8080", "3000", "198.18.0.0", "100000", before=FAR)
            visits("10.7.0.2", 50)
            visits("fd07::2", 50)
        assert tracking("insert") >= 90, (tracking("insert"), packets("SYN above the budget, answered with a cookie"))
        assert tracking("insert_failed") == 0
    finally:
        run("nft", "delete table inet guia_test")


@case
def without_the_kernels_leave_syns_are_left_to_it():
    pathlib.Path("/proc/sys/net/ipv4/tcp_syncookies").write_text("1")
    assert "SYNs above the budget are left to the kernel" in attach("--syn", 20, "--syn-port", 10)
    with socket.create_server(("10.7.0.1", 8081)):
        run(sys.argv[2], "-", "flood", "10.7.0.1", "8081", "300", "198.18.0.0", "100000", before=FAR)
    wait_for(lambda: packets("SYN above the budget, left to the kernel") > 200, "SYNs")
    assert packets("SYN above the budget, answered with a cookie") == 0


@case
def a_full_table_says_so_and_the_rest_goes_on():
    attach()
    assert "full" in holder("fill")
    assert passed()
    assert json.loads(edge("show", "--json"))["bans"]["IPv4 /32"] >= 10000


main()
