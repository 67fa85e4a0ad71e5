"""Turns a text file into a C string: embed.py OUTPUT NAME INPUT."""

import pathlib
import sys


def main(output: str, name: str, source: str) -> None:
    lines = pathlib.Path(source).read_text().splitlines()
    text = "\n".join(
        '  "%s\\n"' % line.replace("\\", "\\\\").replace('"', '\\"') for line in lines
    )
    pathlib.Path(output).write_text(
        f"#include <glib.h>\nextern const char {name}[];\nconst char {name}[] =\n{text};\n"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
