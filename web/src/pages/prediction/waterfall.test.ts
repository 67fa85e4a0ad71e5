import { describe, expect, it } from "vitest";
import type { Run } from "../../run/run.ts";
import { spansOf } from "./waterfall.ts";

const at = (ms: number) => new Date(Date.UTC(2026, 0, 1) + ms).toISOString();
const zero = Date.UTC(2026, 0, 1);
const entry = (what: string, ms: number | null, details: Record<string, unknown> = {}) => ({
  at: ms === null ? null : at(ms), what, sentence: "", details,
});
function run(started: number | null, completed: number | null): Run {
  return {
    created_at: at(0),
    started_at: started === null ? null : at(started),
    completed_at: completed === null ? null : at(completed),
  } as Run;
}
const told = (spans: ReturnType<typeof spansOf>) =>
  spans.map((span) => [span.label, span.from - zero, span.to - zero, ...(span.isOpen ? ["open"] : [])]);

describe("the spans of a run", () => {
  it("show the boot that it waited for", () => {
    const entries = [entry("started", 600, { instance_started_at: at(100), instance_ready_at: at(590) })];
    expect(told(spansOf(run(600, 1000), entries, 0))).toEqual([
      ["Queued", 0, 100], ["Boot and setup", 100, 590], ["Queued", 590, 600], ["Run", 600, 1000],
    ]);
  });

  it("tell the setup from the boot", () => {
    const details = { instance_started_at: at(100), instance_ready_at: at(590), instance_setup_seconds: 0.3 };
    const entries = [entry("started", 600, details)];
    expect(told(spansOf(run(600, 1000), entries, 0))).toEqual([
      ["Queued", 0, 100], ["Boot", 100, 290], ["Setup", 290, 590], ["Queued", 590, 600], ["Run", 600, 1000],
    ]);
    // The run came when the setup had begun.
    const late = [entry("started", 600, { ...details, instance_started_at: at(-500), instance_setup_seconds: 0.8 })];
    expect(told(spansOf(run(600, 1000), late, 0)).slice(0, 2)).toEqual([["Setup", 0, 590], ["Queued", 590, 600]]);
  });

  it("leave out a boot that was over before", () => {
    const entries = [entry("started", 200, { instance_started_at: at(-900), instance_ready_at: at(-100) })];
    expect(told(spansOf(run(200, 300), entries, 0))).toEqual([["Queued", 0, 200], ["Run", 200, 300]]);
  });

  it("show only the rest of a boot that began before", () => {
    const entries = [entry("started", 200, { instance_started_at: at(-900), instance_ready_at: at(200) })];
    expect(told(spansOf(run(200, 300), entries, 0))).toEqual([["Boot and setup", 0, 200], ["Run", 200, 300]]);
  });

  it("show lost attempts", () => {
    const entries = [entry("lost", 50, { attempt: 1, started_at: at(10) }), entry("started", 90, { attempt: 2 })];
    expect(told(spansOf(run(90, 120), entries, 0))).toEqual([
      ["Queued", 0, 10], ["Run, attempt 1", 10, 50], ["Queued", 50, 90], ["Run, attempt 2", 90, 120],
    ]);
  });

  it("go on until now", () => {
    expect(told(spansOf(run(null, null), [], zero + 70))).toEqual([["Queued", 0, 70, "open"]]);
    expect(told(spansOf(run(null, null), [entry("start", 20, { instance: "a" })], zero + 70))).toEqual([
      ["Queued", 0, 20], ["Boot and setup", 20, 70, "open"],
    ]);
    const other = [entry("start", 20, { instance: "a" }), entry("ready", 40, { instance: "a" })];
    expect(told(spansOf(run(null, null), other, zero + 70))).toEqual([["Queued", 0, 70, "open"]]);
    expect(told(spansOf(run(30, null), [entry("started", 30)], zero + 70))).toEqual([
      ["Queued", 0, 30], ["Run", 30, 70, "open"],
    ]);
  });

  it("end with the last webhook", () => {
    const entries = [entry("started", 10), entry("webhook", 80), entry("webhook", null)];
    expect(told(spansOf(run(10, 50), entries, 0)).at(-1)).toEqual(["Delivery", 50, 80]);
  });

  it("are made of the run alone when its events are gone", () => {
    expect(told(spansOf(run(10, 50), [], 0))).toEqual([["Queued", 0, 10], ["Run", 10, 50]]);
    expect(told(spansOf(run(null, 50), [], 0))).toEqual([["Queued", 0, 50]]);
  });
});
