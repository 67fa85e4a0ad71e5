import { expect, test } from "vitest";
import { warmthOf } from "./warmth.ts";

const none = { starting: 0, booting: 0, ready: 0, stopping: 0 };

function status(instances: Partial<typeof none>, { deployment = null as string | null, leftOut = 0 } = {}) {
  const queue = {
    model: "lab/echo",
    deployment,
    version: "v",
    hardware: "cpu",
    waiting: 0,
    accounts_waiting: 0,
    running: 0,
    oldest_wait_seconds: 0,
    slots: 0,
    min_instances: 0,
    max_instances: 1,
    instances: { ...none, ...instances },
    boot_seconds: null,
    run_seconds: null,
    boot_failures: 0,
  };
  return { queues: [queue], queues_left_out: leftOut };
}

test.each([
  [status({ ready: 1, booting: 1 }), "lab/echo", "warm"],
  [status({ booting: 1 }), "lab/echo", "starting"],
  [status({ starting: 1 }), "lab/echo", "starting"],
  [status({ stopping: 1 }), "lab/echo", "cold"],
  [status({ ready: 1 }, { deployment: "lab/fast" }), "lab/echo", "cold"],
  [status({ ready: 1 }), "lab/other", "cold"],
  [status({ ready: 1 }, { leftOut: 1 }), "lab/other", null],
  [status({}, { leftOut: 1 }), "lab/echo", "cold"],
])("%#", (seen, model, warmth) => {
  expect(warmthOf(seen, model)).toBe(warmth);
});
