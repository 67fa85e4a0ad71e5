"""Prints the OpenAPI document of a Cog model, read from its source without running it.

Usage: python3 -I SCHEMA PROJECT_DIR [--predict REF] [--train REF] [--concurrency N]
       [--imported FILE]
With --import in front it is the program of importing.py.
"""
from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import traceback
from typing import Any, NoReturn

sys.dont_write_bytecode = True

if sys.argv[1:2] == ["--import"]:
    # Before anything of ours is loaded, which the model would find in the place of its own.
    import importing

    importing.main(sys.argv[2:])

from generate import generate  # noqa: E402

# Far above what any real model needs: it ends hostile patterns and nests.
DEADLINE_S = 30


class DeadlineReached(BaseException):
    pass


def _stop(_signal: int, _frame: object) -> NoReturn:
    raise DeadlineReached


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="schema", description=__doc__, allow_abbrev=False)
    parser.add_argument("project_dir", metavar="PROJECT_DIR")
    parser.add_argument("--predict", metavar="REF")
    parser.add_argument("--train", metavar="REF")
    parser.add_argument("--concurrency", metavar="N", type=int)
    parser.add_argument("--imported", metavar="FILE", help="what --import printed")
    arguments = parser.parse_args()
    if not os.path.isdir(arguments.project_dir):
        parser.error(f"'{arguments.project_dir}' is not a directory")
    if arguments.concurrency is not None and arguments.concurrency < 1:
        parser.error("--concurrency must be at least 1")
    return arguments


def _too_complex(message: str) -> dict[str, Any]:
    return {"errors": [{"kind": "too_complex", "file": "", "line": 0, "message": message}]}


def _reply(arguments: argparse.Namespace) -> dict[str, Any]:
    try:
        imported = None
        if arguments.imported is not None:
            with open(arguments.imported, encoding="utf-8") as stream:
                imported = json.load(stream)
        return generate(
            arguments.project_dir,
            arguments.predict,
            arguments.train,
            arguments.concurrency,
            imported,
        )
    except DeadlineReached:
        return _too_complex(
            f"the source takes longer than {DEADLINE_S} s to read; write its constants and"
            " patterns in a simpler way"
        )
    except (RecursionError, MemoryError):
        return _too_complex("the source is nested too deeply; split long expressions and types")
    except Exception as problem:
        traceback.print_exc()
        message = f"the schema program failed: {problem!r}; report it together with the source"
        return {"errors": [{"kind": "internal", "file": "", "line": 0, "message": message}]}


def main() -> int:
    arguments = _arguments()
    signal.signal(signal.SIGALRM, _stop)
    signal.setitimer(signal.ITIMER_REAL, DEADLINE_S)
    reply = _reply(arguments)
    signal.setitimer(signal.ITIMER_REAL, 0)
    json.dump(reply, sys.stdout, allow_nan=False)
    sys.stdout.write("\n")
    return 1 if "errors" in reply else 0


if __name__ == "__main__":
    sys.exit(main())
