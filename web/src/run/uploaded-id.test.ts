import { expect, test } from "vitest";
import { uploadedId } from "./uploaded-id.ts";

test.each([
  ["http://a/v1/files/abc123", "abc123"],
  ["http://a/files/abc123", "abc123"],
  ["http://a/v1/files/abc123/download", null],
  ["http://a/v1/outputs/abc/x.png", null],
  ["http://b/v1/files/abc123", null],
  ["data:text/plain,x", null],
])("%s", (url, id) => {
  expect(uploadedId(url, "http://a")).toBe(id);
});
