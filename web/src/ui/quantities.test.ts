import { describe, expect, it } from "vitest";
import { bytes, counted, duration, money } from "./quantities.ts";

describe("duration", () => {
  it.each([
    [0, "0 ms"],
    [0.0002, "< 1 ms"],
    [0.34, "340 ms"],
    [0.9996, "1.0 s"],
    [2.44, "2.4 s"],
    [59.6, "1 min"],
    [185, "3 min 5 s"],
    [7800, "2 h 10 min"],
    [86400 * 4 + 3 * 3600 + 59, "4 d 3 h"],
    [86400, "1 d"],
  ])("%s is %s", (seconds, text) => expect(duration(seconds)).toBe(text));
});

describe("bytes", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1400, "1.4 KB"],
    [999_600, "1.0 MB"],
    [23_000_000, "23 MB"],
    [4e18, "4000 PB"],
  ])("%s is %s", (size, text) => expect(bytes(size)).toBe(text));
});

describe("money", () => {
  it.each([
    [null, "–"],
    ["0", "0.00"],
    ["12.5", "12.50"],
    ["1234.567", "1,234.57"],
    ["0.000012", "0.000012"],
  ])("%s is %s", (amount, text) => expect(money(amount)).toBe(text));
});

it("counts in words", () => {
  expect(counted(1, "run", "runs")).toBe("1 run");
  expect(counted(1200, "run", "runs")).toBe("1,200 runs");
});
