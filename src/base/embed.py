"""Writes files as one C source: their names and contents, in the order given.

Usage: embed.py OUTPUT.c SYMBOL FILE...
"""

import pathlib
import sys


def main():
    output, symbol, *files = map(pathlib.Path, sys.argv[1:])
    arrays, entries = [], []
    for number, file in enumerate(files):
        data = file.read_bytes()
        rows = [", ".join(map(str, data[i : i + 32])) for i in range(0, len(data), 32)]
        arrays.append(
            f"static const unsigned char file_{number}[] = {{\n" + ",\n".join(rows) + "\n};\n"
        )
        entries.append(f'  {{ "{file.name}", file_{number}, {len(data)} }},\n')
    output.write_text(
        '#include "base/embedded.h"\n'
        + "".join(arrays)
        + f"const VendEmbeddedFile {symbol}[] = {{\n"
        + "".join(entries)
        + "  { 0, 0, 0 },\n};\n"
    )


if __name__ == "__main__":
    main()
