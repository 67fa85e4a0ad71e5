/** Rows of the history as series for charts. Pure. Times are in seconds. */
import type { Schemas } from "../../api/client.ts";

export interface Span {
  from: number;
  to: number;
}

export interface Buckets {
  /** The beginning of each bucket, Unix time. */
  at: readonly number[];
  width: number;
}

const MOST_BUCKETS = 60;
const WIDTHS = [10, 30, 60, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400];

/** Buckets of a round width over a span, at most sixty and the one that has begun. */
export function bucketsOf({ from, to }: Span): Buckets {
  const least = (to - from) / MOST_BUCKETS;
  const width = WIDTHS.find((each) => each >= least) ?? 604_800;
  const first = Math.floor(from / width) * width;
  const at: number[] = [];
  for (let time = first; time <= to; time += width) at.push(time);
  return { at, width };
}

export function bucketAt({ at, width }: Buckets, time: number): number {
  const index = Math.floor((time - (at[0] ?? 0)) / width);
  return Math.min(Math.max(index, 0), at.length - 1);
}

/** The value below which a share of the sorted values lies. */
export function quantile(values: readonly number[], share: number): number | null {
  if (values.length === 0) return null;
  return values[Math.min(Math.floor(values.length * share), values.length - 1)] ?? null;
}

export interface Waits {
  buckets: Buckets;
  requests: readonly number[];
  median: readonly (number | null)[];
  p95: readonly (number | null)[];
}

export function waitsOf(history: Schemas["History"], span: Span): Waits {
  const { at_us: at, wait_us: wait } = history.requests;
  const start = Date.parse(history.from) / 1000;
  const buckets = bucketsOf(span);
  const waits: number[][] = buckets.at.map(() => []);
  for (const [i, offset] of at.entries()) {
    waits[bucketAt(buckets, start + offset / 1e6)]?.push((wait[i] ?? 0) / 1e6);
  }
  for (const list of waits) list.sort((a, b) => a - b);
  return {
    buckets,
    requests: waits.map((list) => list.length),
    median: waits.map((list) => quantile(list, 0.5)),
    p95: waits.map((list) => quantile(list, 0.95)),
  };
}

export interface Boots {
  buckets: Buckets;
  count: readonly number[];
  /** Mean boot time. */
  mean: readonly (number | null)[];
}

/** Cold starts, from the decisions that tell of instances that became ready. */
export function bootsOf(decisions: readonly Schemas["Decision"][], span: Span): Boots {
  const buckets = bucketsOf(span);
  const counts = buckets.at.map(() => 0);
  const sums = buckets.at.map(() => 0);
  for (const decision of decisions) {
    if (decision.kind !== "ready") continue;
    const bucket = bucketAt(buckets, Date.parse(decision.at) / 1000);
    const seconds = decision.inputs["boot_seconds"];
    counts[bucket] = (counts[bucket] ?? 0) + 1;
    sums[bucket] = (sums[bucket] ?? 0) + (typeof seconds === "number" ? seconds : 0);
  }
  return { buckets, count: counts, mean: counts.map((n, i) => (n === 0 ? null : (sums[i] ?? 0) / n)) };
}

export type Line = Schemas["UsageStatement"]["lines"][number];

/** The share of the instances' time in which they ran something; null without instances. */
export function utilisation({ active_us: active, setup_us: setup, idle_us: idle }: Pick<Line, "active_us" | "setup_us" | "idle_us">): number | null {
  const all = active + setup + idle;
  return all > 0 ? active / all : null;
}
