/** Where the time of a run went: its events as spans on one line of time. */
import type { Schemas } from "../../api/client.ts";
import type { Run } from "../../run/run.ts";

export type SpanKind = "queue" | "boot" | "run" | "delivery";

export interface Span {
  kind: SpanKind;
  label: string;
  /** Milliseconds since 1970. */
  from: number;
  to: number;
  isOpen: boolean;
}

type Entries = Schemas["Explanation"]["entries"];

/** Shorter spans are the server's own steps and are not seen on the line. */
const LEAST_MS = 0.5;

const labels: Record<SpanKind, string> = { queue: "Queued", boot: "Boot and setup", run: "Run", delivery: "Delivery" };

function timeOf(value: unknown): number | null {
  const time = typeof value === "string" ? Date.parse(value) : NaN;
  return Number.isNaN(time) ? null : time;
}

/** The spans in the order of time. A run that goes on ends now. */
export function spansOf(run: Run, entries: Entries, now: number): Span[] {
  const spans: Span[] = [];
  const add = (kind: SpanKind, from: number, to: number, { isOpen = false, label = labels[kind] } = {}) => {
    if (isOpen || to - from >= LEAST_MS) spans.push({ kind, label, from, to: Math.max(from, to), isOpen });
  };
  const created = Date.parse(run.created_at);
  const completed = timeOf(run.completed_at);
  let at = created;

  const starts = entries.filter((entry) => entry.what === "started" && entry.at !== null);
  starts.forEach((entry, i) => {
    const started = Date.parse(entry.at ?? "");
    const bootFrom = timeOf(entry.details["instance_started_at"]);
    const bootTo = timeOf(entry.details["instance_ready_at"]) ?? started;
    if (bootFrom !== null && bootTo > at) {
      add("queue", at, Math.max(at, bootFrom));
      add("boot", Math.max(at, bootFrom), Math.min(bootTo, started));
      at = Math.max(at, Math.min(bootTo, started));
    }
    add("queue", at, started);
    const next = starts[i + 1];
    const lost = entries.find((other) => other.what === "lost" && other.at !== null && Date.parse(other.at) >= started);
    const end = next === undefined ? completed : (timeOf(lost?.at) ?? timeOf(next.at));
    const label = starts.length > 1 ? `Run, attempt ${i + 1}` : labels.run;
    add("run", started, end ?? now, { isOpen: end === null, label });
    at = end ?? now;
  });

  if (starts.length === 0) {
    const boot = entries.filter((entry) => entry.what === "start" && entry.at !== null).at(-1);
    const bootFrom = timeOf(boot?.at);
    const end = completed ?? now;
    const started = timeOf(run.started_at);
    if (started !== null) {
      add("queue", created, started);
      add("run", started, end, { isOpen: completed === null });
    } else if (completed === null && bootFrom !== null) {
      add("queue", created, Math.max(created, bootFrom));
      add("boot", Math.max(created, bootFrom), now, { isOpen: true });
    } else {
      add("queue", created, end, { isOpen: completed === null });
    }
  }

  if (completed !== null) {
    const told = entries.filter((entry) => entry.what === "webhook" && entry.at !== null).map((entry) => Date.parse(entry.at ?? ""));
    const last = Math.max(completed, ...told);
    add("delivery", completed, last);
  }
  return spans;
}
