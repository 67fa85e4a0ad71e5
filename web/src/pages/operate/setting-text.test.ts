import { expect, test } from "vitest";
import { settingText } from "./setting-text.ts";

test("bounds and idle timeout in words", () => {
  expect(settingText({ min_instances: 0, max_instances: 2, idle_timeout_seconds: 300 })).toBe("0 to 2, 5 min");
  expect(settingText({ min_instances: 1, max_instances: 1, idle_timeout_seconds: null })).toBe("1 to 1, until others need the room");
});
