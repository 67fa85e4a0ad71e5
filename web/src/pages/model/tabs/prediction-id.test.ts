import { expect, test } from "vitest";
import { predictionId } from "./prediction-id.ts";

test.each([
  ["abc123", "abc123"],
  ["  abc123\n", "abc123"],
  ["http://127.0.0.1:8363/p/abc123", "abc123"],
  ["http://127.0.0.1:8363/v1/predictions/abc123/?x=1#y", "abc123"],
  ["", ""],
])("the id of %j", (text, id) => {
  expect(predictionId(text)).toBe(id);
});
