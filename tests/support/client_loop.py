"""Runs calls of a client in a process of its own: a line of JSON in, a line of JSON out."""

import io
import json
import sys


def open_files(value):
    """{"$file": text, "name": …} becomes a file as a user would give it."""
    if isinstance(value, dict):
        if "$file" in value:
            file = io.BytesIO(value["$file"].encode())
            file.name = value.get("name", "input.txt")
            return file
        return {key: open_files(item) for key, item in value.items()}
    if isinstance(value, list):
        return [open_files(item) for item in value]
    return value


def read_files(value, is_file):
    """File objects become {"file": url, "text": content}."""
    if is_file(value):
        return {"file": str(value), "text": value.read().decode(errors="replace")}
    if isinstance(value, dict):
        return {key: read_files(item, is_file) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [read_files(item, is_file) for item in value]
    return value


def describe(error):
    status = getattr(error, "status", None) or getattr(error, "status_code", None)
    return {"type": type(error).__name__, "status": status, "message": str(error)}


def serve(calls, make_client):
    """`calls` is a module's functions by name, each takes the client first."""
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            client = make_client(**asked["client"])
            answer = {"value": calls[asked["call"]](client, **open_files(asked["arguments"]))}
            text = json.dumps(answer)
        except Exception as error:
            text = json.dumps({"error": describe(error)})
        print(text, flush=True)
