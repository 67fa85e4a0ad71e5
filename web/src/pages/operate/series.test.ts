import { describe, expect, it } from "vitest";
import type { Schemas } from "../../api/client.ts";
import { bootsOf, bucketAt, bucketsOf, quantile, utilisation, waitsOf } from "./series.ts";

const T = 1_796_000_400;

describe("buckets", () => {
  it("are round and cover the span", () => {
    const hour = bucketsOf({ from: T, to: T + 3600 });
    expect(hour.width).toBe(60);
    expect(hour.at[0]).toBeLessThanOrEqual(T);
    expect((hour.at.at(-1) ?? 0) + hour.width).toBeGreaterThan(T + 3600);
  });
  it.each([600, 3600, 86_400, 7 * 86_400, 30 * 86_400, 366 * 86_400])("are few over %s s", (length) => {
    expect(bucketsOf({ from: T, to: T + length }).at.length).toBeLessThanOrEqual(62);
  });
  it("take what lies beyond into the first and the last", () => {
    const buckets = bucketsOf({ from: T, to: T + 3600 });
    expect(bucketAt(buckets, T - 9999)).toBe(0);
    expect(bucketAt(buckets, T + 99_999)).toBe(buckets.at.length - 1);
  });
});

it("finds quantiles", () => {
  expect(quantile([], 0.5)).toBeNull();
  expect(quantile([1, 2, 3, 4], 0.5)).toBe(3);
  expect(quantile([1, 2, 3, 4], 1)).toBe(4);
});

it("sorts waits into buckets", () => {
  const from = new Date(T * 1000).toISOString();
  const history = {
    from,
    requests: { at_us: [0, 1e6, 120e6], run_us: [0, 0, 0], wait_us: [2e6, 4e6, 0], target: [0, 0, 0] },
  } as unknown as Schemas["History"];
  const waits = waitsOf(history, { from: T, to: T + 3600 });
  expect(waits.requests.slice(0, 3)).toEqual([2, 0, 1]);
  expect(waits.median.slice(0, 3)).toEqual([4, null, 0]);
});

it("counts boots", () => {
  const at = new Date((T + 65) * 1000).toISOString();
  const ready = (boot_seconds: number) => ({ kind: "ready", at, inputs: { boot_seconds } });
  const decisions = [ready(1), ready(3), { ...ready(0), kind: "stop" }] as unknown as Schemas["Decision"][];
  const boots = bootsOf(decisions, { from: T, to: T + 3600 });
  expect(boots.count.slice(0, 3)).toEqual([0, 2, 0]);
  expect(boots.mean.slice(0, 3)).toEqual([null, 2, null]);
});

it("reckons utilisation", () => {
  expect(utilisation({ active_us: 1, setup_us: 1, idle_us: 2 })).toBe(0.25);
  expect(utilisation({ active_us: 0, setup_us: 0, idle_us: 0 })).toBeNull();
});
