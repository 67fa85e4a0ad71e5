import { expect, it } from "vitest";
import { sorted, turn } from "./sorting.ts";

it("sorts numbers and texts, rows without a value last", () => {
  const rows = [{ n: 2 }, { n: null }, { n: 10 }, { n: 1 }];
  expect(sorted(rows, (row) => row.n, false).map((row) => row.n)).toEqual([1, 2, 10, null]);
  expect(sorted(rows, (row) => row.n, true).map((row) => row.n)).toEqual([10, 2, 1, null]);
  expect(sorted(["b2", "b10", "a"], (text) => text, false)).toEqual(["a", "b2", "b10"]);
});

it("keeps the order of equal rows", () => {
  const rows = [{ n: 1, id: "x" }, { n: 1, id: "y" }];
  expect(sorted(rows, (row) => row.n, true).map((row) => row.id)).toEqual(["x", "y"]);
});

it("turns the order of the same column", () => {
  const first = turn(null, "cost", true);
  expect(first).toEqual({ column: "cost", isDown: true });
  expect(turn(first, "cost", true)).toEqual({ column: "cost", isDown: false });
  expect(turn(first, "name", false)).toEqual({ column: "name", isDown: false });
});
