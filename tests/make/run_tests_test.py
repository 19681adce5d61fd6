"""tools/run-tests over a project of meson whose tests fail in every way: the end of what it prints tells which did. TAP.

Usage: run_tests_test.py (in the root of the tree)
"""
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import tap  # pylint: disable=wrong-import-position

PROJECT = """project('sample')
sh = find_program('sh')
test('good', sh, args: ['-c', 'echo 1..2; echo ok 1 - first; echo "ok 2 - second # SKIP not here"'], protocol: 'tap')
test('bad', sh, args: ['-c', 'echo 1..3; echo ok 1 - fine; echo not ok 2 - lost; echo "# why it was lost"; echo ok 3 - late;'
  + ' echo "# of the late one"'], protocol: 'tap')
test('wordy', sh, args: ['-c', 'seq 100000; echo the last word; exit 3'])
test('mute', sh, args: ['-c', 'kill -9 $$'])
test('slow', sh, args: ['-c', 'echo 1..2; echo ok 1 - begun; exec sleep 300'], protocol: 'tap', timeout: 4)
foreach n : range(60)
  test('many-@0@'.format(n), sh, args: ['-c', 'echo 1..1; echo not ok 1 - $(seq -s, 400); seq 2000'], protocol: 'tap', suite: 'many')
endforeach
"""


def run(build, *more):
    done = subprocess.run([sys.executable, "tools/run-tests", f"{build}{more[0] if more else ''}", "--", *more[1:]],
                          capture_output=True, text=True, check=False, timeout=300)
    _, found, said = ("\n" + done.stdout).partition("\nfailed: ")
    return done.returncode, done.stdout.splitlines()[-1], (found + said).lstrip()


def named(build):
    status, last, said = run(build, "", "--no-suite", "many")
    assert (status, last) == (1, "4 passed, 4 failed, 1 skipped"), (status, last)
    names = sorted(line for line in said.splitlines() if line.startswith("failed: "))
    expected = ["bad: not ok 2 - lost", "mute: FAIL (exit status -9)", "slow: TIMEOUT (exit status -15)", "wordy: FAIL (exit status 3)"]
    assert len(names) == 4, names
    for name, wanted in zip(names, expected):
        assert name.startswith(f"failed: {build}, ") and name.endswith(wanted), (name, wanted)
    assert "# why it was lost" in said and "# of the late one" not in said and "the last word" in said, said
    assert "\n99999\n" in said and "\n99900\n" not in said, said


def bounded(build):
    status, last, said = run(build, ":many")
    assert (status, last) == (1, "0 passed, 60 failed"), (status, last)
    assert len(said) < 16000, len(said)
    assert "more failed\n" in said and "\nthe end of what " in said, said


def quiet(build):
    status, last, said = run(build, "", "good")
    assert (status, last, said) == (0, "1 passed, 0 failed, 1 skipped", ""), (status, last, said)


def unbuilt(build):
    status, last, said = run(f"{build}-that-is-none")
    assert (status, last) == (1, "0 passed, 1 failed"), (status, last)
    assert f"failed: {build}-that-is-none: meson test ended with 1 after 0 passed cases" in said, said


def main():
    cases = {"what failed is named, with its words": named, "what is told is bounded": bounded,
             "where nothing failed nothing is told": quiet, "a build that is none has failed": unbuilt}
    with tempfile.TemporaryDirectory(prefix="guia-run-tests-") as folder:
        (pathlib.Path(folder) / "meson.build").write_text(PROJECT)
        build = f"{folder}/build"
        subprocess.run(["meson", "setup", build, folder], check=True, capture_output=True, timeout=300)
        failed = tap.run([(title, lambda test=function: test(build)) for title, function in cases.items()])
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
