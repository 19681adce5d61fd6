"""tools/npm-fetch against a registry on loopback: what is pinned comes, what was altered does not, nothing that comes is run, and where it cannot
be had that is said. TAP."""
import base64
import hashlib
import http.server
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
import tap  # pylint: disable=wrong-import-position

FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="guia-npm-test-"))
RAN = FOLDER / "ran"
CASES = []


def case(function):
    CASES.append((tap.title(function), function))
    return function


def package():
    """A tarball whose scripts would tell if they were run."""
    manifest = {"name": "thing", "version": "1.2.3", "scripts": {name: f"touch {RAN}" for name in ("preinstall", "install", "postinstall")}}
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as tar:
        for name, text in (("package.json", json.dumps(manifest)), ("thing.js", "// a thing")):
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    return whole.getvalue()


TARBALL = package()


def digest(data):
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


class Registry(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        here = f"http://127.0.0.1:{self.server.server_port}/thing/-/thing-1.2.3.tgz"
        told = {"name": "thing", "dist-tags": {"latest": "1.2.3"},
                "versions": {"1.2.3": {"name": "thing", "version": "1.2.3", "dist": {"tarball": here, "integrity": digest(TARBALL)}}}}
        body = {"/thing": json.dumps(told).encode(), "/thing/-/thing-1.2.3.tgz": TARBALL}.get(self.path)
        self.send_response(404 if body is None else 200)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_):
        pass


def pinned(name, integrity):
    folder = FOLDER / name
    folder.mkdir()
    wants = {"name": "screen", "private": True, "dependencies": {"thing": "1.2.3"}}
    lock = {"name": "screen", "lockfileVersion": 3, "requires": True,
            "packages": {"": {"dependencies": {"thing": "1.2.3"}}, "node_modules/thing": {"version": "1.2.3", "integrity": integrity, "hasInstallScript": True}}}
    (folder / "package.json").write_text(json.dumps(wants))
    (folder / "package-lock.json").write_text(json.dumps(lock))
    return folder


def fetch(folder, registry, path=os.environ["PATH"]):
    into = folder / "into"
    environment = {"PATH": path, "HOME": str(FOLDER), "npm_config_registry": registry, "npm_config_cache": str(FOLDER / f"cache-{folder.name}")}
    done = subprocess.run([sys.executable, ROOT / "tools" / "npm-fetch", folder, into], env=environment, capture_output=True, text=True, check=False, timeout=100)
    return done.returncode, done.stdout, into / "node_modules" / "thing" / "thing.js"


def needs_npm():
    if shutil.which("npm") is None:
        raise tap.Skip("npm is not installed")


@case
def what_is_pinned_comes_and_nothing_of_it_is_run():
    needs_npm()
    folder = pinned("good", digest(TARBALL))
    code, said, thing = fetch(folder, ADDRESS)
    assert code == 0 and said == "" and thing.read_text() == "// a thing", said
    assert not RAN.exists(), "a script of the package was run"
    assert fetch(folder, "http://127.0.0.1:1/", path="/nowhere")[0] == 0, "what is there is not fetched again"


@case
def what_was_altered_does_not_come():
    needs_npm()
    code, said, thing = fetch(pinned("altered", digest(TARBALL + b"x")), ADDRESS)
    assert code == 1 and "EINTEGRITY" in said and not thing.parent.exists(), said


@case
def a_registry_out_of_reach_is_said():
    needs_npm()
    code, said, thing = fetch(pinned("far", digest(TARBALL)), "http://127.0.0.1:1/")
    assert code == 1 and "npm could not fetch" in said and not thing.parent.exists(), said


@case
def no_npm_is_said():
    code, said, thing = fetch(pinned("none", digest(TARBALL)), ADDRESS, path="/nowhere")
    assert code == 1 and "npm is not installed" in said and not thing.exists(), said


@case
def every_lock_of_ours_names_a_digest_and_no_host():
    locks = list(ROOT.glob("src/**/package-lock.json")) + list(ROOT.glob("tests/**/package-lock.json"))
    assert len(locks) == 2, locks
    for path in locks:
        lock, wants = json.loads(path.read_text()), json.loads(path.with_name("package.json").read_text())["dependencies"]
        packages = {name: told for name, told in lock["packages"].items() if name}
        assert wants == {name.removeprefix("node_modules/"): told["version"] for name, told in packages.items()}, path
        for name, told in packages.items():
            assert told["integrity"].startswith("sha512-") and "resolved" not in told, (path, name)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
threading.Thread(target=server.serve_forever, daemon=True).start()
ADDRESS = f"http://127.0.0.1:{server.server_port}/"
failed = tap.run(CASES)
shutil.rmtree(FOLDER)
sys.exit(1 if failed else 0)
