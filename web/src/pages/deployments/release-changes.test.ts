import { expect, test } from "vitest";
import { changesOfRelease } from "./release-changes.ts";

const release = (version: string, more: object = {}) => ({
  version,
  configuration: { hardware: "cpu", min_instances: 0, max_instances: 1, ...more },
});

test("what a release changed", () => {
  const [a, b] = ["a".repeat(64), "b".repeat(64)];
  expect(changesOfRelease(release(a), release(a))).toEqual([]);
  expect(changesOfRelease(release(a), release(b, { hardware: "gpu", max_instances: 3 }))).toEqual([
    `Version: ${"a".repeat(12)} to ${"b".repeat(12)}`,
    "Hardware: cpu to gpu",
    "Maximum of instances: 1 to 3",
  ]);
  expect(changesOfRelease(release(a, { idle_timeout: 5 }), release(a, { retry_safe: true }))).toEqual([
    "Idle timeout, seconds: 5 to the server's",
    "Retry a run that was lost before any output: the server's to yes",
  ]);
});
