"""An incident's bundle, made and checked by the command; its records by nobody's code but this."""
import json
import subprocess


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, (words, done)
    return done.stdout


def warc_blocks(path):
    data, at = path.read_bytes(), 0
    while at < len(data):
        end = data.index(b"\r\n\r\n", at)
        head = dict(line.split(": ", 1) for line in data[at:end].decode().split("\r\n")[1:])
        length = int(head["Content-Length"])
        yield head, data[end + 4:end + 4 + length]
        at = end + 8 + length


def blocks_of(bag):
    return [(head, block) for path in sorted((bag / "data/warc").iterdir()) for head, block in warc_blocks(path)]


def exported(guia, incident, bag, *words):
    """Exports an incident and checks the bundle -> its records, in order."""
    run(guia, "evidence", "export", incident, "-o", bag, "--why", "a test", *words)
    run(guia, "evidence", "verify", bag)
    blocks = blocks_of(bag)
    return [json.loads(block) for head, block in blocks if head["WARC-Type"] in ("metadata", "resource") and head["Content-Type"] == "application/json"]
