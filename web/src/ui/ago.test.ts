import { describe, expect, test } from "vitest";
import { ago, exactly } from "./ago.ts";

const now = Date.parse("2026-06-15T12:00:00Z");

describe("ago", () => {
  test.each([
    [0, "just now"],
    [59, "just now"],
    [60, "1 minute ago"],
    [119, "1 minute ago"],
    [3 * 3600, "3 hours ago"],
    [86400, "1 day ago"],
    [15 * 86400, "2 weeks ago"],
    [62 * 86400, "2 months ago"],
    [800 * 86400, "2 years ago"],
    [-120, "in 2 minutes"],
  ])("%d seconds before", (seconds, words) => {
    expect(ago(now - seconds * 1000, now)).toBe(words);
  });

  test("a text that is no time", () => {
    expect(ago(Date.parse("never"), now)).toBe("");
    expect(exactly("never")).toBe("never");
  });
});
