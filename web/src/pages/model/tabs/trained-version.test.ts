import { expect, test } from "vitest";
import { trainedVersion } from "./trained-version.ts";

test.each([
  [{ version: "lab/echo:0ab1", weights: "http://x" }, { model: "lab/echo", id: "0ab1" }],
  [{ version: "lab/echo" }, null],
  [{ version: "//evil:0ab1" }, null],
  [{ version: "javascript:alert(1)" }, null],
  [{ version: null }, null],
  ["lab/echo:0ab1", null],
  [null, null],
])("%j", (output, made) => {
  expect(trainedVersion(output)).toEqual(made);
});
