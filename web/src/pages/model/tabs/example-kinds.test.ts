import { describe, expect, test } from "vitest";
import { canBeMovedFirst, isPushed, predictionId } from "./example-kinds.ts";

const at = "2026-01-01T00:00:00.000001Z";
const later = "2026-01-01T00:00:00.000002Z";

test("examples of files are told from runs", () => {
  expect(isPushed({ created_at: at, started_at: at })).toBe(true);
  expect(isPushed({ created_at: at, started_at: later })).toBe(false);
});

test.each([
  [at, false, false],
  [later, false, true],
  [later, true, false],
])("one that began at %s, data removed: %s", (started_at, data_removed, can) => {
  expect(canBeMovedFirst({ created_at: at, started_at, data_removed })).toBe(can);
});

describe("predictionId", () => {
  test.each([
    ["abc123", "abc123"],
    ["  abc123\n", "abc123"],
    ["http://127.0.0.1:8363/p/abc123", "abc123"],
    ["http://127.0.0.1:8363/v1/predictions/abc123/?x=1#y", "abc123"],
    ["", ""],
  ])("of %j", (text, id) => {
    expect(predictionId(text)).toBe(id);
  });
});
