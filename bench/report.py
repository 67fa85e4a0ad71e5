"""The end of every measurement: a table for people, one JSON line for programs, an exit status."""
from __future__ import annotations

import json
import os
import platform
from typing import Any


class Report:
    def __init__(self, name: str) -> None:
        self.name = name
        self.load_before = os.getloadavg()[0]
        self.goals: list[dict[str, Any]] = []
        self.ratios: dict[str, float] = {}
        self.values: dict[str, Any] = {}
        self.notes: list[str] = []

    def goal(self, name: str, value: float, limit: float, *, at_least: bool, unit: str = "") -> None:
        met = value >= limit if at_least else value <= limit
        self.goals.append({"name": name, "value": round(value, 4), "limit": limit,
                           "at_least": at_least, "unit": unit, "met": met})

    def note(self, text: str) -> None:
        self.notes.append(text)
        print(f"note: {text}")

    def finish(self) -> int:
        """Prints the rest; the exit status."""
        print()
        for goal in self.goals:
            sign = "≥" if goal["at_least"] else "≤"
            print(f"{'met   ' if goal['met'] else 'MISSED'}  {goal['name']}: {goal['value']:g} "
                  f"{goal['unit']} (goal {sign} {goal['limit']:g})")
        met = all(goal["met"] for goal in self.goals)
        print(json.dumps({"bench": self.name, "met": met, "ratios": self.ratios,
                          "goals": self.goals, "values": self.values, "notes": self.notes,
                          "machine": machine(self.load_before)}))
        return 0 if met else 1


def machine(load_before: float) -> dict[str, Any]:
    model = platform.machine()
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        for line in info:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"cpu": model, "cores": os.cpu_count(), "kernel": platform.release(),
            "load_before": round(load_before, 2), "load_after": round(os.getloadavg()[0], 2)}


def table(heads: list[str], rows: list[list[Any]]) -> None:
    cells = [heads, *[[cell if isinstance(cell, str) else f"{cell:,}" for cell in row]
                      for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(heads))]
    for row in cells:
        line = "  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                         for i, (cell, width) in enumerate(zip(row, widths)))
        print(line.rstrip(), flush=True)
