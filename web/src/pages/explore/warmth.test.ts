import { expect, test } from "vitest";
import { warmthOf } from "./warmth.ts";

const models = { "lab/echo": "warm", "lab/slow": "starting" } as const;

test.each([
  ["lab/echo", true, "warm"],
  ["lab/slow", true, "starting"],
  ["lab/other", true, "cold"],
  ["lab/other", false, null],
  ["lab/echo", false, "warm"],
  ["constructor", true, "cold"],
])("%s, complete: %s", (model, complete, warmth) => {
  expect(warmthOf({ models, complete }, model)).toBe(warmth);
});
