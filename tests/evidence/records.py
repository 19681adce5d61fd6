"""The records of a log that was closed, from its files, by nobody's code but this."""
import json


def numbers(folder):
    """Paths of bundles below tile/entries by their number, the widest of each."""
    found = {}
    for path in folder.rglob("*"):
        if not path.is_file():
            continue
        parts = path.relative_to(folder).parts
        width = int(parts[-1]) if parts[-2:-1] and parts[-2].endswith(".p") else 256
        digits = parts[:-1] if width < 256 else parts
        number = int("".join(part.removeprefix("x").removesuffix(".p") for part in digits))
        if width > found.get(number, (0, None))[0]:
            found[number] = (width, path)
    return [found[number][1] for number in sorted(found)]


def of_epoch(epoch):
    for path in numbers(epoch / "tile" / "entries"):
        data, at = path.read_bytes(), 0
        while at < len(data):
            length = int.from_bytes(data[at:at + 2], "big")
            yield json.loads(data[at + 2:at + 2 + length])
            at += 2 + length


def of_log(log):
    return [record for epoch in sorted(log.glob("[0-9]" * 4)) for record in of_epoch(epoch)]


def of_kind(records, kind):
    return [record for record in records if record["kind"] == kind]
