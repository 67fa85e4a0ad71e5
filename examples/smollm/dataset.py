"""What to learn: pairs of a prompt and its completion, out of a zip file. A mistake names its file and line."""

import json
import pathlib
import zipfile

MAX_PAIRS = 5000
LEAST_PAIRS = 2
MAX_FILE_BYTES = 50_000_000
FIELDS = ("prompt", "completion")


def read_pairs(path):
    """(where, prompt, completion) of each line of each .jsonl file."""
    pairs = []
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(name for name in archive.namelist() if is_data(name))
            if not names:
                raise ValueError("train_data: no .jsonl file in the zip file, expected data.jsonl")
            for name in names:
                if archive.getinfo(name).file_size > MAX_FILE_BYTES:
                    raise ValueError(f"train_data: {name} has more than {MAX_FILE_BYTES} bytes")
                pairs += read_lines(name, archive.read(name))
    except zipfile.BadZipFile:
        raise ValueError("train_data: not a zip file") from None
    if len(pairs) < LEAST_PAIRS:
        raise ValueError(f"train_data: {', '.join(names)}: {len(pairs)} lines, expected at least {LEAST_PAIRS}")
    if len(pairs) > MAX_PAIRS:
        raise ValueError(f"train_data: {', '.join(names)}: {len(pairs)} lines, at most {MAX_PAIRS}")
    return pairs


def is_data(name):
    path = pathlib.PurePosixPath(name)
    return path.suffix == ".jsonl" and "__MACOSX" not in path.parts


def read_lines(name, content):
    for number, line in enumerate(content.splitlines(), 1):
        if line.strip():
            yield read_line(f"{name} line {number}", line)


def read_line(where, line):
    try:
        row = json.loads(line.decode("utf-8"))
    except ValueError as error:
        raise ValueError(f"train_data: {where}: not JSON: {error}") from None
    if not isinstance(row, dict):
        raise ValueError(f'train_data: {where}: expected {{"prompt": "…", "completion": "…"}}')
    for field in FIELDS:
        if not isinstance(row.get(field), str) or not row[field].strip():
            raise ValueError(f"train_data: {where}: {field} is missing or no text")
    return where, row["prompt"], row["completion"]
