import { expect, it } from "vitest";
import { boundsOf, isMonth, lastMonths, monthName } from "./months.ts";

it("lists months across a year, in UTC", () => {
  expect(lastMonths(new Date("2027-01-31T23:59:59Z"), 3)).toEqual(["2027-01", "2026-12", "2026-11"]);
});

it("knows months", () => {
  expect(isMonth("2026-12")).toBe(true);
  expect(isMonth("2026-13")).toBe(false);
  expect(isMonth("2026-1&account=x")).toBe(false);
  expect(monthName("2026-11")).toBe("November 2026");
});

it("has the bounds of a month", () => {
  expect(boundsOf("2026-12")).toEqual({ from: "2026-12-01T00:00:00.000Z", to: "2027-01-01T00:00:00.000Z" });
});
