import { expect, test } from "vitest";
import { isOwn, mediumOf } from "./own-files.ts";

test.each([
  ["http://here:8363/v1/covers/a/b.png", true],
  ["/v1/covers/a/b.png", true],
  ["data:image/png;base64,AA==", true],
  ["http://here:8364/b.png", false],
  ["https://here:8363/b.png", false],
  ["//elsewhere/b.png", false],
  ["javascript:alert(1)", false],
  ["http://[", false],
])("%s is of this server: %s", (url, own) => {
  expect(isOwn(url, "http://here:8363")).toBe(own);
});

test.each([
  ["http://x/a.PNG?b=c.mp3", "image"],
  ["https://x/a.mp4#t=1", "video"],
  ["/v1/outputs/t/out.wav", "audio"],
  ["data:image/png;base64,AA==", "image"],
  ["data:text/html,.png", null],
  ["http://x/a.html", null],
  ["http://x/png", null],
])("%s is %s", (url, medium) => {
  expect(mediumOf(url)).toBe(medium);
});
