import { describe, expect, it } from "vitest";
import { drawnRows } from "./windowing.ts";

const list = { count: 100_000, rowHeight: 40, viewHeight: 800, overscan: 5 };

describe("drawnRows", () => {
  it("draws a view and the overscan", () => {
    expect(drawnRows({ ...list, scrolled: 40_000 })).toEqual({ from: 995, to: 1025 });
  });
  it("draws rows that are partly in view", () => {
    expect(drawnRows({ ...list, scrolled: 40_020, overscan: 0 })).toEqual({ from: 1000, to: 1021 });
  });
  it("begins at the first row", () => {
    expect(drawnRows({ ...list, scrolled: 0 })).toEqual({ from: 0, to: 25 });
    expect(drawnRows({ ...list, scrolled: -200 })).toEqual({ from: 0, to: 20 });
  });
  it("ends at the last row", () => {
    expect(drawnRows({ ...list, scrolled: 3_999_200 })).toEqual({ from: 99_975, to: 100_000 });
  });
  it("draws nothing of a list that is out of view, or empty", () => {
    const below = drawnRows({ ...list, scrolled: -5000 });
    expect(below.to - below.from).toBe(0);
    const above = drawnRows({ ...list, count: 3, scrolled: 90_000 });
    expect(above.to - above.from).toBe(0);
    expect(drawnRows({ ...list, count: 0, scrolled: 0 })).toEqual({ from: 0, to: 0 });
  });
  it("draws a bounded number of rows, however long the list", () => {
    for (let scrolled = 0; scrolled < 4_000_000; scrolled += 33_333) {
      const { from, to } = drawnRows({ ...list, scrolled });
      expect(to - from).toBeLessThanOrEqual(31);
    }
  });
});
