"""Packs Python files into one zip, the same bytes for the same files, written as a C array.

Usage: zipapp.py OUTPUT.c SYMBOL FILE...
"""
import io
import pathlib
import sys
import zipfile


def pack(paths):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(paths, key=lambda p: p.name):
            info = zipfile.ZipInfo(path.name, date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, path.read_bytes())
    return buffer.getvalue()


def main():
    output, symbol, *files = sys.argv[1:]
    data = pack([pathlib.Path(f) for f in files])
    rows = [", ".join(str(b) for b in data[i : i + 32]) for i in range(0, len(data), 32)]
    text = (
        '#include "build/schema-zip.h"\n'
        f"const unsigned char {symbol}[] = {{\n" + ",\n".join(rows) + "\n};\n"
        f"const unsigned int {symbol}_size = sizeof {symbol};\n"
    )
    pathlib.Path(output).write_text(text)


if __name__ == "__main__":
    main()
