"""The calls of the suite, made with `openai` of PyPI, any major version."""

import base64
import operator
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

import client_loop  # noqa: E402
import openai  # noqa: E402


def make_client(url, token, **options):
    return openai.OpenAI(base_url=url + "/openai/v1", api_key=token, **options)


def plain(value):
    """What the client has read; bytes as base64."""
    if hasattr(value, "model_dump"):
        return value.model_dump()
    if hasattr(value, "read"):
        return base64.b64encode(value.read()).decode()
    return value


def named(arguments):
    """Files are given by name, content and type."""
    return {key: open_file(value) for key, value in arguments.items()}


def open_file(value):
    if isinstance(value, dict) and "$bytes" in value:
        return (value["name"], base64.b64decode(value["$bytes"]), value["type"])
    return value


def call(client, path, arguments, extra=None):
    """A method by its path, as `chat.completions.create`; of a stream all that comes."""
    made = operator.attrgetter(path)(client)(**named(arguments), **(extra or {}))
    if arguments.get("stream"):
        return [plain(piece) for piece in made]
    return plain(made)


def output_text(client, **arguments):
    return client.responses.create(**arguments).output_text


def first_chunk(client, **arguments):
    """Leaves the stream after its first content."""
    with client.chat.completions.create(stream=True, **arguments) as stream:
        for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                return plain(chunk)


def error(client, path, arguments):
    try:
        operator.attrgetter(path)(client)(**arguments)
    except openai.APIStatusError as error:
        return {
            "type": type(error).__name__,
            "status": error.status_code,
            "code": error.code,
            "param": error.param,
            "message": error.message,
            "id": error.request_id,
        }


def stream_error(client, **arguments):
    text = ""
    try:
        for chunk in client.chat.completions.create(stream=True, **arguments):
            text += chunk.choices[0].delta.content or ""
    except openai.APIError as error:
        return {"text": text, "type": type(error).__name__, "message": error.message}


if __name__ == "__main__":
    client_loop.serve(globals(), make_client)
