"""The systemd units: what systemd says of them, and that they start what this program knows. TAP.

Usage: python3 units_test.py GUIA
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

GUIA = pathlib.Path(sys.argv[1]).resolve()
UNITS = sorted((pathlib.Path(__file__).resolve().parents[2] / "packaging").glob("*.service"))
EXPOSURE = {"guia.service": 50, "guia-watch.service": 20, "guia-screen.service": 15, "guia-upstream.service": 20, "guia-edge.service": 75}  # tenths of systemd's points, 0 to 100; less is better


def analyze(*words):
    done = subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False, timeout=300)
    return done.returncode, done.stdout + done.stderr


def is_sound(unit):
    """systemd finds nothing to say of it; the program stands where it is built."""
    with tempfile.TemporaryDirectory(prefix="guia-units-") as folder:
        copy = pathlib.Path(folder) / unit.name
        copy.write_text(unit.read_text().replace("/usr/bin/guia", str(GUIA)).replace("man:", "https://example.org/"))
        code, said = analyze("verify", str(copy))
        assert code == 0 and unit.name not in said, said


def is_closed(unit):
    code, said = analyze("security", "--offline=true", f"--threshold={EXPOSURE[unit.name]}", str(unit))
    assert code == 0, "\n".join(said.splitlines()[-3:])


def starts_what_there_is(unit):
    text = unit.read_text()
    line, = re.findall(r"^ExecStart(?:Pre)?=/usr/bin/guia (\S+) (.*)$", text, re.M)
    helped = subprocess.run([GUIA, "help", line[0]], capture_output=True, text=True, check=True, timeout=300).stdout
    for word in line[1].split():
        if word.startswith("-"):
            assert re.search(rf"(?<![\w-]){re.escape(word)}\b", helped), word
    assert "Type=oneshot" in text or ("Type=notify" in text and "WatchdogSec=" in text)


def keeps_what_it_is_given(unit):
    """A folder that an option names is the service's own, or another program's that it only reads: the sandbox lets it be written to."""
    text = unit.read_text()
    own = {f"{root}/{name}" for key, root in (("State", "/var/lib"), ("Runtime", "/run"), ("Cache", "/var/cache"))
           for name in re.findall(rf"^{key}Directory=(\S+)$", text, re.M)}
    for option, path in re.findall(r" --(run-dir|bans|cache|upstream-dir) (/\S+)", text):
        assert any(path == folder or path.startswith(folder + "/") for folder in own), (option, path, own)
    assert "guia watch" not in text or " --bans " in text, "without --bans nothing that the watch decides is carried out"


def main():
    checks = [(unit, check) for unit in UNITS for check in (is_sound, is_closed, starts_what_there_is, keeps_what_it_is_given)]
    print(f"1..{len(checks)}")
    failed = 0
    for number, (unit, check) in enumerate(checks, 1):
        title = f"{number} - {unit.name}: {check.__name__.replace('_', ' ')}"
        if check in (is_sound, is_closed) and shutil.which("systemd-analyze") is None:
            print(f"ok {title} # SKIP there is no systemd-analyze here")
            continue
        try:
            check(unit)
            print(f"ok {title}")
        except AssertionError as reason:
            failed += 1
            print(f"not ok {title}")
            print("\n".join("# " + text for text in str(reason).splitlines()))
    sys.exit(failed > 0 or len(UNITS) != len(EXPOSURE))


main()
