"""Adds up what the parts of ./test left behind: PART.xml (JUnit) and PART.code (exit status)."""

import pathlib
import sys
import xml.etree.ElementTree

REASON_CHARS = 1500
REASONS = 5


def count_cases(report):
    passed = failed = skipped = 0
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def reasons(report):
    """Each failed case, and the end of its message: the part that a long log would hide."""
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        for kind in ("failure", "error"):
            found = case.find(kind)
            if found is not None:
                text = (found.text or found.get("message") or "").strip()
                yield f"{case.get('classname')}::{case.get('name')}", text[-REASON_CHARS:]


def count_part(folder, part):
    """A part that ended badly counts as one failure more when no case of it tells why."""
    code = folder / f"{part}.code"
    ended_well = code.exists() and code.read_text().strip() == "0"
    report = folder / f"{part}.xml"
    if not report.exists():
        return (1, 0, 0) if ended_well else (0, 1, 0)
    try:
        passed, failed, skipped = count_cases(report)
    except xml.etree.ElementTree.ParseError:
        return 0, 1, 0
    if not ended_well and failed == 0:
        failed = 1
    return passed, failed, skipped


def print_reasons(folder, parts):
    for part in parts:
        try:
            found = list(reasons(folder / f"{part}.xml"))
        except (OSError, xml.etree.ElementTree.ParseError):
            continue
        for name, text in found[:REASONS]:
            print(f"\n{part}: {name}\n{text}")


def main(folder, parts):
    totals = [0, 0, 0]
    print()
    for part in parts:
        counts = count_part(folder, part)
        totals = [total + count for total, count in zip(totals, counts)]
        print(f"{part:10} {counts[0]:5} passed {counts[1]:5} failed {counts[2]:5} skipped")
    print_reasons(folder, parts)
    passed, failed, skipped = totals
    print(f"{skipped} skipped")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


sys.exit(main(pathlib.Path(sys.argv[1]), sys.argv[2:]))
