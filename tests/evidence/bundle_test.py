#!/usr/bin/env python3
"""A bundle as an investigator has it: by its own instructions in a bare chroot, by sha256sum, by openssl, by a WARC reader. TAP.

Usage: bundle_test.py GUIA CASE_MAKER
"""
import base64
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback

from authority import Authority

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from waiting import PATIENCE  # pylint: disable=wrong-import-position

GUIA, MAKER = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
# In memory where that can be had: nothing here depends on a disk's pace.
TEMP = tempfile.TemporaryDirectory(prefix="guia-bundle-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
FOLDER = pathlib.Path(TEMP.name)
TOOLS = "sh cat head tail cut base64 sha256sum mktemp printf openssl ls od tr".split()
CASES = []
ENDS = 600  # seconds; only ends what hangs: a slow machine writes for long


class Skip(Exception):
    pass


def case(function):
    CASES.append(function)
    return function


def run(*words, code=0, **more):
    done = subprocess.run([str(word) for word in words], capture_output=True, check=False, timeout=ENDS, **more)
    said = done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")
    assert code is None or done.returncode == code, f"{words}: exit {done.returncode}, not {code}\n{said}"
    return said


def guia(*words, code=0):
    return run(GUIA, "evidence", *words, code=code)


def export_words(place, to):
    return ["export", "1", "-o", to, "--why", "asked for: 123/2026", "--log", place / "log", "--signing-key", place / "key.pem",
            "--history", place / "history.db"]


MADE = {}


KINDS = {"plain": (3000, False, False), "sealed": (600, True, False), "clear": (600, True, True)}


def made(name):
    """A case and its bundle, made once."""
    if name in MADE:
        return MADE[name]
    count, sealed, clear = KINDS[name]
    place = FOLDER / name
    place.mkdir()
    keys = []
    if sealed:
        guia("export-key", place / "export.key", "-o", place / "export.pem")
        keys = [place / "export.pem"]
    run(MAKER, place, count, *keys)
    guia(*export_words(place, place / "bag"), *(["--export-key", place / "export.key"] if clear else []))
    MADE[name] = place
    return place


def copied(name, place):
    to = FOLDER / name
    shutil.copytree(place / "bag", to)
    return to


# ---- by its instructions ----

def chroot(bag):
    """A folder with a shell, coreutils and openssl, and nothing else but the bundle."""
    root = FOLDER / "root"
    if not root.exists():
        files = set()
        for tool in TOOLS:
            path = pathlib.Path(shutil.which(tool))
            files |= {path.resolve()}
            (root / "usr/bin").mkdir(parents=True, exist_ok=True)
            shutil.copy(path.resolve(), root / "usr/bin" / tool)
            for library in re.findall(r"(/\S+) \(0x", run("ldd", path.resolve())):
                to = root / library.lstrip("/")
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(library, to)
        (root / "tmp").mkdir()
        (root / "bin").symlink_to("usr/bin")
        (root / "usr/lib/ssl").mkdir(parents=True)
        shutil.copy("/etc/ssl/openssl.cnf", root / "usr/lib/ssl/openssl.cnf")
        (root / "bundle").mkdir()
    shutil.rmtree(root / "bundle")
    shutil.copytree(bag, root / "bundle")
    return root


def follow(bag, **settings):
    """What the blocks of VERIFY.md say, one after the other in one shell."""
    text = (bag / "VERIFY.md").read_text()
    script = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.S))
    root = chroot(bag)
    tool = shutil.which("chroot", path="/usr/sbin:/usr/bin")
    enter = [tool, root] if os.getuid() == 0 else [shutil.which("unshare"), "--map-root-user", "--user", tool, root]
    if subprocess.run([*enter, "/usr/bin/cat", "/bundle/bagit.txt"], capture_output=True, check=False).returncode != 0:
        raise Skip("no chroot can be had here")
    sets = "".join(f"{key}='{value}'\n" for key, value in settings.items())
    return run(*enter, "/usr/bin/sh", "-c", "cd /bundle\n" + sets + script, env={"PATH": "/usr/bin", "TMPDIR": "/tmp"}, code=None)


@case
def its_instructions_are_followed_in_a_bare_chroot():
    said = follow(made("plain") / "bag")
    assert "BAD" not in said and said.count("good:") == 7, said
    assert re.search(r"good: record \d+ of epoch 0001: .*\"step\":\"begun\"", said), said


@case
def any_exhibit_is_checked_by_its_instructions():
    place = made("plain")
    bag = copied("exhibit", place)
    text = (bag / "VERIFY.md").read_text()
    for record in (0, 700, 1023, 1024):
        changed = re.sub(r"; record=\d+", f"; record={record}", text)
        (bag / "VERIFY.md").write_text(changed)
        said = follow(bag)
        assert re.search(rf"good: record {record} of epoch 0001: \{{\"v\":\d,\"kind\":\"(block|epoch)\"", said), said


@case
def its_instructions_find_what_was_changed():
    place = made("plain")
    bag = copied("changed", place)
    warc = next((bag / "data/warc").iterdir())
    data = bytearray(warc.read_bytes())
    text = (bag / "VERIFY.md").read_text()
    record = 700
    line = (bag / "data/proofs/0001/002").read_text().split("\n")[record % 256].split()
    data[int(line[1]) + 40] ^= 1
    warc.write_bytes(data)
    (bag / "VERIFY.md").write_text(re.sub(r"; record=\d+", f"; record={record}", text))
    said = follow(bag)
    assert "BAD: manifest-sha256.txt" in said and f"BAD: record {record}" in said, said


# ---- by others ----

@case
def sha256sum_and_the_log_agree():
    bag = made("plain") / "bag"
    run("sha256sum", "--strict", "--quiet", "-c", "manifest-sha256.txt", cwd=bag)
    run("sha256sum", "--strict", "--quiet", "-c", "tagmanifest-sha256.txt", cwd=bag)
    listed = {line.split("  ", 1)[1] for line in (bag / "manifest-sha256.txt").read_text().splitlines()}
    there = {str(path.relative_to(bag)) for path in (bag / "data").rglob("*") if path.is_file()}
    assert listed == there
    octets, count = re.search(r"Payload-Oxum: (\d+)\.(\d+)", (bag / "bag-info.txt").read_text()).groups()
    assert int(count) == len(there) and int(octets) == sum((bag / path).stat().st_size for path in there)
    record = json.loads((bag / "export.json").read_text())
    assert record["sha256"] == hashlib.sha256((bag / "tagmanifest-sha256.txt").read_bytes()).hexdigest()
    assert record["kind"] == "export" and record["step"] == "finished" and record["why"] == "asked for: 123/2026"
    custody = json.loads((bag / "data/custody.json").read_text())
    assert custody["performer"]["user"] == os.getuid() and custody["why"] == "asked for: 123/2026" and custody["clock"]
    for language in ("en", "pt", "zh-Hant"):
        assert "<html" in (bag / f"data/report-{language}.html").read_text()


def warc_records(path):
    """By the standard's grammar: head, block, two empty lines."""
    data, at = path.read_bytes(), 0
    while at < len(data):
        end = data.index(b"\r\n\r\n", at)
        first, *lines = data[at:end].decode("ascii").split("\r\n")
        assert first == "WARC/1.1"
        head = dict(line.split(": ", 1) for line in lines)
        length = int(head["Content-Length"])
        block = data[end + 4:end + 4 + length]
        assert data[end + 4 + length:end + 8 + length] == b"\r\n\r\n", at
        assert head["WARC-Block-Digest"] == "sha256:" + hashlib.sha256(block).hexdigest()
        yield head, block
        at = end + 8 + length


@case
def every_record_of_the_incident_is_there_and_no_other():
    bag = made("plain") / "bag"
    kinds, blocks = {}, 0
    for path in sorted((bag / "data/warc").iterdir()):
        for head, block in warc_records(path):
            kinds[head["WARC-Type"]] = kinds.get(head["WARC-Type"], 0) + 1
            if head["WARC-Type"] == "metadata":
                leaf = json.loads(block)
                assert leaf["kind"] == "block" and leaf["site"] == "www.a.test" and leaf["port"] and leaf["source"]
                assert head["Guia-Log"] == "gate.test/log/1"
                blocks += 1
    assert kinds == {"warcinfo": 1, "metadata": 2700, "resource": 2}, kinds


@case
def messages_are_in_clear_for_who_has_the_key():
    bag = made("clear") / "bag"
    found = 0
    for path in sorted((bag / "data/warc").iterdir()):
        records = list(warc_records(path))
        for at, (head, block) in enumerate(records):
            if head["WARC-Type"] != "request":
                continue
            about, leaf = records[at + 1]
            assert about["WARC-Record-ID"] == head["WARC-Concurrent-To"] and about["WARC-Concurrent-To"] == head["WARC-Record-ID"]
            assert hashlib.sha256(base64.b64decode(head["Guia-Salt"]) + block).hexdigest() == json.loads(leaf)["body"]
            assert b"password=" in block and head["WARC-Target-URI"].startswith("http://www.a.test/")
            found += 1
    assert found == 540, found
    data = next((bag / "data/packets").iterdir()).read_bytes()
    types, at = [], 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        assert struct.unpack_from("<I", data, at + length - 4)[0] == length
        types.append(kind)
        at += length
    assert types == [0x0A0D0D0A, 1, 6] + [0x0A0D0D0A, 1, 6, 6] + [0x0A0D0D0A, 1, 6, 6, 6], types
    assert not (bag / "data/messages").exists()


@case
def messages_stay_sealed_without_it():
    place = made("sealed")
    bag = place / "bag"
    assert not any(b"password=" in path.read_bytes() for path in bag.rglob("*") if path.is_file())
    parcels = sorted((bag / "data/messages").rglob("*.cms"))
    opened = b"".join(subprocess.run(["openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", path, "-inkey", place / "export.key"],
                                     capture_output=True, check=True).stdout for path in parcels)
    assert opened.count(b"password=") == 600, opened[:200]


@case
def sealed_parcels_of_other_times_are_left_out():
    """Of a time of the incident in which nothing of it was recorded: whose messages those are, is nobody's business here."""
    place = FOLDER / "sealed-other"
    shutil.copytree(made("sealed"), place, ignore=shutil.ignore_patterns("bag"))
    first = next((place / "log/bodies").rglob("*.cms"))
    begins, ends = map(int, first.stem.split("-"))
    for at in (begins - 10000, ends + 500, ends + 30000):
        shutil.copy(first, first.parent / f"{at}-{at + 300}.cms")
    over = first.parent / f"{begins - 20000}-{ends + 5000}.cms"  # may hold one: what waited for the disk
    shutil.copy(first, over)
    guia(*export_words(place, place / "bag"))
    assert sorted(path.name for path in (place / "bag/data/messages").rglob("*.cms")) == sorted([first.name, over.name])
    guia("verify", place / "bag")


@case
def what_another_key_opens_stays_sealed_beside_what_is_opened():
    """The key was changed while the incident went on: half of the messages are read, the others go along as they are."""
    place = FOLDER / "two-keys"
    shutil.copytree(made("sealed"), place, ignore=shutil.ignore_patterns("bag"))
    guia("export-key", place / "other.key", "-o", place / "other.pem")
    parcels = sorted((place / "log/bodies").rglob("*.cms"))
    first = parcels[0]
    opened = subprocess.run(["openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", first, "-inkey", place / "export.key"], capture_output=True,
                            check=True).stdout
    sealed = subprocess.run(["openssl", "cms", "-encrypt", "-binary", "-aes-256-gcm", "-outform", "DER", "-recip", place / "other.pem", "-keyopt", "ecdh_kdf_md:sha256"],
                            input=opened, capture_output=True, check=True).stdout
    first.write_bytes(sealed)
    ended = int(first.stem.split("-")[1])
    elsewhere = first.parent / f"{ended + 30000}-{ended + 30300}.cms"
    elsewhere.write_bytes(sealed)
    said = guia(*export_words(place, place / "bag"), "--export-key", place / "export.key")
    assert "not opened: 2 parcels, sealed to another key; 1 of them" in said and "--export-key FILE" not in said, said
    assert [path.read_bytes() for path in (place / "bag/data/messages").rglob("*.cms")] == [sealed]
    content = json.loads((place / "bag/data/custody.json").read_text())["content"]
    assert content["messages"] == "clear" and content["messages_not_found"] > 0 and content["sealed_parcels"] == 1, content
    guia("verify", place / "bag")


@case
def the_warc_reader_of_npm_reads_them():
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise Skip("there is no npm here")
    folder = FOLDER / "npm"
    folder.mkdir()
    got = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", folder, "warcio@2"], capture_output=True, check=False, timeout=200)
    if got.returncode != 0:
        raise Skip("npm's warcio cannot be had here")
    (folder / "read.mjs").write_text("""
import { WARCParser } from "warcio";
import fs from "node:fs";
for (const path of process.argv.slice(2)) {
  for await (const record of WARCParser.iterRecords(fs.createReadStream(path), { keepHeadersCase: true })) {
    const block = await record.readFully(false);
    console.log(JSON.stringify({ type: record.warcType, uri: record.warcTargetURI, id: record.warcHeaders.headers.get("WARC-Record-ID"), length: record.warcContentLength, got: block.length }));
  }
}
""")
    for name, wanted in (("plain", {"warcinfo": 1, "metadata": 2700, "resource": 2}), ("clear", {"warcinfo": 1, "metadata": 540, "request": 540, "resource": 8})):
        place = made(name)
        lines = [json.loads(line) for line in run("node", folder / "read.mjs", *sorted((place / "bag/data/warc").iterdir())).splitlines()]
        kinds = {}
        for line in lines:
            kinds[line["type"]] = kinds.get(line["type"], 0) + 1
        assert kinds == wanted, kinds
        assert len({line["id"] for line in lines}) == len(lines)


@case
def openssl_verifies_its_timestamps():
    place = FOLDER / "stamped"
    place.mkdir()
    run(MAKER, place, 300)
    authority, other = Authority(FOLDER, "authority"), Authority(FOLDER, "other")
    for _ in range(5):  # an authority on a machine that stands still answers after the five seconds it is waited for
        said = guia(*export_words(place, place / "bag"), "--authority", authority.url)
        if "not timestamped" not in said:
            break
        shutil.rmtree(place / "bag")
    assert "not timestamped" not in said, said
    authority.end()
    other.end()
    bag = place / "bag"
    stamps = [bag / "export.tsr", *(bag / "data/log/0001/timestamps").glob("*.tsr")]
    assert len(stamps) >= 2, stamps
    for stamp in stamps:
        said = run("openssl", "ts", "-verify", "-in", stamp, "-data", str(stamp)[:-4] + ".checkpoint", "-CAfile", authority.folder / "ca.crt")
        assert "Verification: OK" in said
    assert "WHOLE" in guia("verify", bag, "--authorities", authority.folder / "ca.crt")
    assert "by these authorities" in guia("verify", bag, "--authorities", other.folder / "ca.crt", code=13)
    (bag / "authorities.pem").write_bytes((authority.folder / "ca.crt").read_bytes())
    said = follow(bag, AUTHORITIES="/bundle/authorities.pem")
    assert "BAD" not in said and said.count("Time stamp:") == len(stamps), said
    (bag / "authorities.pem").write_bytes((other.folder / "ca.crt").read_bytes())
    said = follow(bag, AUTHORITIES="/bundle/authorities.pem")
    assert said.count("BAD: ") == len(stamps), said


# ---- tampered with ----

CODES = {"altered": 10, "missing": 11, "truncated": 12, "badly signed": 13, "newer": 15}


def files_of(bag):
    """One file of each sort, and all of those at the top."""
    sorts = {}
    for path in sorted(path for path in bag.rglob("*") if path.is_file()):
        inside = path.relative_to(bag)
        sorts.setdefault(re.sub(r"\d+", "N", str(inside)), inside)
    return sorts.values()


@case
def a_byte_that_was_changed_is_found_in_every_file():
    place = made("sealed")
    bag = copied("flipped", place)
    assert "WHOLE" in guia("verify", bag)
    for name in files_of(bag):
        whole = (bag / name).read_bytes()
        for at in {0, len(whole) // 2, len(whole) - 1}:
            data = bytearray(whole)
            data[at] ^= 1
            (bag / name).write_bytes(data)
            done = subprocess.run([GUIA, "evidence", "verify", bag], capture_output=True, check=False)
            assert done.returncode in (10, 13), f"{name} byte {at}: {done}"
        (bag / name).write_bytes(whole)
    guia("verify", bag)


@case
def a_file_that_is_missing_or_cut_is_found():
    bag = copied("lacking", made("sealed"))
    for name in files_of(bag):
        whole = (bag / name).read_bytes()
        (bag / name).unlink()
        said = guia("verify", bag, code=CODES["missing"])
        assert str(name) in said, said
        (bag / name).write_bytes(whole[:-3])
        code = CODES["truncated"] if str(name).startswith("data/") or name.name in ("VERIFY.md", "bag-info.txt", "manifest-sha256.txt") else None
        said = run(GUIA, "evidence", "verify", bag, code=code)
        assert "WHOLE" not in said, said
        (bag / name).write_bytes(whole)
    guia("verify", bag)


@case
def a_file_that_was_put_in_is_found():
    bag = copied("more", made("plain"))
    (bag / "data/warc/extra.warc").write_bytes(b"")
    assert "no manifest names data/warc/extra.warc" in guia("verify", bag, code=CODES["altered"])
    (bag / "data/warc/extra.warc").unlink()
    for name in ("README.html", "more/README.html", "/".join(["data", *"a" * 30, "deep"]), "data/" + "/".join(["long" * 50] * 4)):
        (bag / name).parent.mkdir(parents=True, exist_ok=True)
        (bag / name).write_bytes(b"")
        said = guia("verify", bag, code=CODES["altered"])
        assert said.startswith(f"ALTERED: no manifest names {name[:20]}"), said
        (bag / name).unlink()
        for folder in sorted((path for path in bag.rglob("*") if path.is_dir()), reverse=True):
            if not list(folder.iterdir()):
                folder.rmdir()
    (bag / "data/report-en.html").unlink()
    (bag / "data/report-en.html").symlink_to("/etc/hostname")
    guia("verify", bag, code=CODES["altered"])


def forge(bag, change):
    """Somebody without the log's key changes the bag, and makes all manifests and an export.json anew that agree with it."""
    change(bag)
    lines = (bag / "manifest-sha256.txt").read_text().splitlines()
    paths = [line.split("  ", 1)[1] for line in lines]
    digest = lambda path: hashlib.sha256((bag / path).read_bytes()).hexdigest()
    (bag / "manifest-sha256.txt").write_text("".join(f"{digest(path)}  {path}\n" for path in paths))
    tags = [line.split("  ", 1)[1] for line in (bag / "tagmanifest-sha256.txt").read_text().splitlines()]
    (bag / "tagmanifest-sha256.txt").write_text("".join(f"{digest(path)}  {path}\n" for path in tags))
    record = (bag / "export.json").read_text()
    (bag / "export.json").write_text(re.sub(r'"sha256":"[0-9a-f]+"', f'"sha256":"{digest("tagmanifest-sha256.txt")}"', record))


@case
def one_made_anew_without_the_key_is_found():
    def change(bag):
        path = next((bag / "data/warc").iterdir())
        path.write_bytes(path.read_bytes().replace(b'"port":40001,', b'"port":40002,'))
    bag = copied("forged", made("plain"))
    forge(bag, change)
    assert "export.json is not in what was signed" in guia("verify", bag, code=CODES["altered"])


@case
def one_signed_by_another_key_is_told_from_the_log_book():
    place = made("plain")
    fingerprint = hashlib.sha256((place / "bag/data/log/0001/key.der").read_bytes()).hexdigest()
    assert fingerprint in guia("verify", place / "bag")
    guia("verify", place / "bag", "--key", fingerprint)
    assert guia("verify", place / "bag", "--key", "0" * 64, code=CODES["badly signed"]).startswith("BADLY SIGNED: the first key is not")
    guia("verify", place / "bag", "--key", fingerprint[:-1], code=2)
    guia("verify", place / "bag", "--key", fingerprint[:-1] + "g", code=2)
    guia("verify", place / "bag", "--authorities", place / "bag/bagit.txt", code=2)
    bag = copied("swapped", place)
    other = made("sealed") / "bag"
    for name in ("export.json", "export.tlog-proof", "export.checkpoint", "export.key.der"):
        shutil.copy(other / name, bag / name)
    assert "is not the one that the log names" in guia("verify", bag, code=CODES["altered"])
    shutil.copytree(place / "bag", bag, dirs_exist_ok=True)
    shutil.copy(other / "export.key.der", bag / "export.key.der")
    guia("verify", bag, code=CODES["badly signed"])


@case
def an_anchor_tells_of_a_log_made_anew():
    place = made("plain")
    shutil.copy(place / "log/0001/checkpoint", FOLDER / "later.checkpoint")
    shutil.copy(place / "bag/data/log/0001/checkpoint", FOLDER / "same.checkpoint")
    shutil.copy(made("sealed") / "bag/data/log/0001/checkpoint", FOLDER / "other.checkpoint")
    said = guia("verify", place / "bag", "--anchor", FOLDER / "same.checkpoint")
    assert "the anchor agrees" in said and "without an anchor" not in said, said
    said = guia("verify", place / "bag", "--anchor", FOLDER / "later.checkpoint")
    assert "of later" in said and "without an anchor" in said, said
    note = (FOLDER / "same.checkpoint").read_bytes()
    (FOLDER / "foreign.checkpoint").write_bytes(note.replace(note.split(b"\n")[0], b"elsewhere/1"))
    for folder in (place / "bag", place / "log"):
        said = guia("verify", folder, "--anchor", FOLDER / "foreign.checkpoint")
        assert "the anchor is of another log" in said and "without an anchor" in said, said
    said = guia("verify", place / "bag", "--anchor", FOLDER / "other.checkpoint", code=CODES["altered"])
    assert "written anew" in said


@case
def a_bag_of_another_version_is_told():
    bag = copied("versions", made("plain"))
    (bag / "bagit.txt").write_text("BagIt-Version: 2.0\nTag-File-Character-Encoding: UTF-8\n")
    guia("verify", bag, code=CODES["newer"])


@case
def an_export_of_a_log_that_was_altered_is_not_made():
    place = FOLDER / "altered"
    shutil.copytree(made("plain"), place, ignore=shutil.ignore_patterns("bag*", "half*"))
    # In the journal too, from which a tile that is damaged would be written anew.
    for name in ("tile/entries/003", "journal.0", "journal.1"):
        path = place / "log/0001" / name
        path.write_bytes(path.read_bytes().replace(b"/page/200?", b"/page/201?"))
    assert "not what was signed" in guia(*export_words(place, place / "bag"), code=1)
    assert not (place / "bag").exists()


# ---- keys and holds ----

@case
def a_key_takes_over_and_the_bundle_tells_of_both():
    place = FOLDER / "rotated"
    place.mkdir()
    run(MAKER, place, 600)
    before = guia("key", "--log", place / "log").strip()
    assert re.fullmatch("[0-9a-f]{64}", before), before
    after = re.search("[0-9a-f]{64}", guia("rotate", "--log", place / "log", "--signing-key", place / "key.pem")).group()
    assert after != before and guia("key", "--log", place / "log").strip() == after
    assert "WHOLE" in guia("verify", place / "log")
    guia(*export_words(place, place / "bag"))
    assert "WHOLE" in guia("verify", place / "bag", "--key", before)
    said = follow(place / "bag")
    assert "BAD" not in said and after in said, said


@case
def what_is_held_is_recorded():
    place = FOLDER / "held"
    place.mkdir()
    run(MAKER, place, 100)
    words = ["--log", place / "log", "--signing-key", place / "key.pem", "--history", place / "history.db"]
    assert "why?" in guia("hold", "1", *words, code=2)
    assert "no incident 9" in guia("hold", "9", "--why", "x", *words, code=2)
    assert "is not held" in guia("release", "1", "--why", "x", *words, code=2)
    assert "held" in guia("hold", "1", "--why", "case 123/2026", *words)
    incident, begins, ends = map(int, (place / "log/holds").read_text().split())
    assert incident == 1 and begins < 1783713600000 < ends
    assert "released" in guia("release", "latest", "--why", "closed", *words)
    assert (place / "log/holds").read_text() == ""
    said = guia("verify", place / "log")
    assert re.search(r"\b2 hold\b", said), said


@case
def what_is_held_stays_as_it_is_while_another_writes_the_log():
    place = FOLDER / "another"
    place.mkdir()
    run(MAKER, place, 100)
    words = ["--why", "x", "--log", place / "log", "--signing-key", place / "key.pem", "--history", place / "history.db"]
    holds, lock = place / "log/holds", (place / "log/lock").open("rb")
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert "a watch writes it" in guia("hold", "1", *words, code=3)
    assert not holds.exists()
    fcntl.flock(lock, fcntl.LOCK_UN)
    guia("hold", "1", *words)
    held = holds.read_text()
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert "a watch writes it" in guia("release", "1", *words, code=3)
    assert holds.read_text() == held != ""
    lock.close()
    assert "1 hold" in guia("verify", place / "log")


# ---- with a watch that writes the log ----

class Watch:
    def __init__(self, place, *words):
        self.place = place
        self.process = subprocess.Popen([GUIA, "watch", "--run-dir", place / "run", "--bans", place / "bans", *words], stdout=subprocess.DEVNULL,
                                        stderr=(place / "said").open("wb"))
        self.log = place / "bans/evidence"

    def guia(self, *words, code=0):
        return guia(*words, "--run-dir", self.place / "run", code=code)

    def until(self, good):
        end = time.monotonic() + PATIENCE
        while not good():
            assert time.monotonic() < end and self.process.poll() is None, (self.place / "said").read_text()
            time.sleep(0.02)

    def key(self):
        done = subprocess.run([GUIA, "evidence", "key", "--run-dir", self.place / "run"], capture_output=True, check=False)
        return done.stdout.decode().strip() if done.returncode == 0 else ""

    def end(self):
        self.process.terminate()
        assert self.process.wait(ENDS) == 0


@case
def the_watch_records_what_is_done_with_its_evidence():
    place = FOLDER / "watched"
    place.mkdir()
    old = place / "bans/evidence/bodies/2020-01-01/1577836800000-1577836801000.cms"
    old.parent.mkdir(parents=True)
    (place / "bans").chmod(0o700)
    (place / "bans/evidence").chmod(0o700)
    old.write_bytes(b"sealed")
    watch = Watch(place)
    history = ["--history", made("plain") / "history.db"]
    watch.until(watch.key)
    before = watch.key()
    watch.guia("hold", "1", "--why", "case 123/2026", *history)
    watch.guia("export", "1", "-o", place / "bag", "--why", "asked for", *history)
    after = re.search("[0-9a-f]{64}", watch.guia("rotate")).group()
    assert after != before
    watch.guia("export", "1", "-o", place / "bag2", "--why", "asked for again", *history)
    watch.guia("release", "1", "--why", "closed", *history)
    assert "is not held" in watch.guia("release", "1", "--why", "closed", *history, code=2)
    watch.until(lambda: not old.exists())
    watch.end()
    said = guia("verify", watch.log, "--key", before)
    assert "WHOLE" in said and re.search(r"\b2 hold\b", said) and re.search(r"\b4 export\b", said), said
    assert re.search(r"states that messages were deleted, from 1577836800000 to 1577836801000", said), said
    for bag in ("bag", "bag2"):
        assert "WHOLE" in guia("verify", place / bag, "--key", before)
    assert json.loads((place / "bag2/export.json").read_text())["user"] == os.getuid()


# ---- being cut off ----

@case
def what_was_killed_goes_on_and_is_the_same():
    place = FOLDER / "killed"
    place.mkdir()
    run(MAKER, place, 100000)
    words = [str(word) for word in export_words(place, place / "bag")]
    kills = 0
    for _ in range(5):  # where this test stood still until the export was done, there is another
        shutil.rmtree(place / "bag", ignore_errors=True)
        for wait in (0.02, 0.1, 0.2, 0.3, 0.4):
            process = subprocess.Popen([GUIA, "evidence", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(wait)
            process.send_signal(signal.SIGKILL)
            if process.wait(ENDS) == -signal.SIGKILL:
                kills += 1
                assert not (place / "bag").exists() or (place / "bag/export.json").exists()
        if kills:
            break
    if not (place / "bag").exists():
        guia(*words)
    assert kills > 0 and not (place / "bag.part").exists()
    guia("verify", place / "bag")
    MADE["killed"] = place


@case
def one_that_is_there_is_left_alone():
    place = made("plain")
    assert "is there already" in guia(*export_words(place, place / "bag"), code=2)
    other = place / "half"
    (place / "half.part").mkdir()
    (place / "half.part/.plan").write_text("{}")
    assert "unfinished" in guia(*export_words(place, other), code=2)


@case
def nothing_stays_of_one_that_was_killed_before_it_had_its_name():
    place = FOLDER / "nameless"
    shutil.copytree(made("plain"), place, ignore=shutil.ignore_patterns("*.part", "half*"))
    (place / "bag").rename(place / "again.part")
    (place / "again.part/data/warc/stray.warc").write_bytes(b"")
    guia(*export_words(place, place / "again"))
    assert "WHOLE" in guia("verify", place / "again")
    (place / "mine.part/data").mkdir(parents=True)
    (place / "mine.part/data/mine").write_text("not of an export")
    guia(*export_words(place, place / "mine"))
    assert (place / "mine/data/mine").exists(), "what no export made is not removed"


@case
def a_full_disk_is_said_and_gone_on_from():
    place = FOLDER / "full"
    place.mkdir()
    run(MAKER, place, 20000)
    disk = FOLDER / "disk"
    disk.mkdir()
    if os.getuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "guia", disk], capture_output=True, check=False).returncode != 0:
        raise Skip("no file system can be had here")
    try:
        assert "no room on the disk" in guia(*export_words(place, disk / "bag"), code=3)
        assert not (disk / "bag").exists()
        run("mount", "-o", "remount,size=200m", disk)
        assert "gone on with" in guia(*export_words(place, disk / "bag"))
        guia("verify", disk / "bag")
    finally:
        run("umount", disk)


def main():
    print(f"1..{len(CASES)}", flush=True)
    failed = False
    for number, function in enumerate(CASES, 1):
        name = function.__name__.replace("_", " ")
        try:
            function()
            print(f"ok {number} - {name}", flush=True)
        except Skip as why:
            print(f"ok {number} - {name} # SKIP {why}", flush=True)
        except Exception:
            failed = True
            print(f"not ok {number} - {name}", flush=True)
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
    sys.exit(failed)


main()
