"""make where packages are missing: what it does with rights and without. TAP. Nothing is installed: apt and dpkg are stubs.

Usage: dependencies_test.py (in the root of the tree)
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import tap  # pylint: disable=wrong-import-position

FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="guia-make-test-"))
GROUPS = ("build", "test", "demo", "bench")
CASES = []


def case(function):
    CASES.append(function)
    return function


def stubs(name, **scripts):
    """A folder to be the whole PATH: the tools that are needed, and scripts in place of others."""
    folder = FOLDER / name
    folder.mkdir()
    for tool in ("bash", "sh", "env", "grep", "make", "rm", "chmod", "touch", "cat"):
        (folder / tool).symlink_to(shutil.which(tool))
    for tool, text in {"dpkg-query": "exit 1", "apt-get": f'echo "$*" >>{FOLDER}/{name}.apt', **scripts}.items():
        (folder / tool.replace("_", "-")).write_text(f"#!/bin/sh\n{text}\n")
        (folder / tool.replace("_", "-")).chmod(0o755)
    return folder


def run(folder, *words):
    return subprocess.run(words, env={"PATH": str(folder), "HOME": str(FOLDER)}, capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, timeout=300)


def without_rights(folder):
    for group in GROUPS:
        done = run(folder, "tools/install-dependencies", group)
        assert done.returncode == 3, done
        line = [l for l in done.stderr.splitlines() if "apt-get install" in l]
        assert len(line) == 1 and "apt-get update && " in line[0], done.stderr
    assert "libhyperscan-dev" in run(folder, "tools/install-dependencies", "build").stderr
    for target in ("all", "test", "demo"):
        done = run(folder, "make", target)
        assert done.returncode != 0 and "apt-get install --no-install-recommends" in done.stderr and "Error 3" in done.stderr, done
    assert not list(FOLDER.glob(f"{folder.name}.apt")), "nothing was tried"


@case
def without_sudo_the_line_to_run_is_printed():
    without_rights(stubs("nobody", id="echo 1000"))


@case
def with_a_sudo_that_refuses_too():
    without_rights(stubs("refused", id="echo 1000", sudo="exit 1"))


@case
def where_all_is_there_nothing_is_asked():
    folder = stubs("there", id="echo 1000", dpkg_query="echo installed")
    for group in GROUPS:
        done = run(folder, "tools/install-dependencies", group)
        assert done.returncode == 0 and not done.stderr, done


@case
def sudo_is_used_where_it_may_be():
    policy = pathlib.Path("/usr/sbin/policy-rc.d")
    folder = stubs("sudoer", id="echo 1000", sudo='[ "$1" = -n ] && exit 0; exec "$@"')
    had = policy.exists()
    done = run(folder, "tools/install-dependencies", "bench")
    assert policy.exists() == had, "the policy against starting services goes again"
    if os.geteuid() == 0:
        assert done.returncode == 0, done
        asked = (FOLDER / "sudoer.apt").read_text()
        assert "update" in asked and "install -q -y --no-install-recommends libmodsecurity-dev" in asked, asked


@case
def npm_of_elsewhere_is_left_alone():
    for name, has, wanted in (("bare", {}, True), ("npm", {"npm": "exit 0"}, False), ("node", {"node": "exit 0"}, False)):
        done = run(stubs(f"with-{name}", id="echo 1000", **has), "tools/install-dependencies", "test")
        assert (" npm" in done.stderr) == wanted, (name, done.stderr)


@case
def an_apt_that_fails_is_told():
    folder = stubs("broken", id="echo 0", apt_get="exit 100")
    done = run(folder, "tools/install-dependencies", "bench")
    assert done.returncode == 3 and "could not" in done.stderr, done


def main():
    failed = tap.run([(tap.title(function), function) for function in CASES])
    shutil.rmtree(FOLDER, ignore_errors=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
