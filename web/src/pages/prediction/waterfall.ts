/** Where the time of a run went: its events as spans on one line of time. */
import type { Schemas } from "../../api/client.ts";
import type { Run } from "../../run/run.ts";

export type SpanKind = "queue" | "boot" | "setup" | "run" | "delivery";

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

const labels: Record<SpanKind, string> = { queue: "Queued", boot: "Boot", setup: "Setup", run: "Run", delivery: "Delivery" };
/** Where one ends and the other begins is not known yet. */
const BOTH = "Boot and setup";

function timeOf(value: unknown): number | null {
  const time = typeof value === "string" ? Date.parse(value) : NaN;
  return Number.isNaN(time) ? null : time;
}

/** Whether the instance that was started is past its boot. */
function hasBooted(entries: Entries, start: Entries[number]): boolean {
  const instance = start.details["instance"];
  return entries.some((entry) => entry !== start && entry.what !== "start" && entry.details["instance"] === instance);
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

  const lost = entries.filter((entry) => entry.what !== "started" && typeof entry.details["attempt"] === "number");
  for (const entry of lost) {
    const from = timeOf(entry.details["started_at"]);
    const to = timeOf(entry.at);
    if (from === null || to === null) continue;
    add("queue", at, from);
    add("run", from, to, { label: `Run, attempt ${String(entry.details["attempt"])}` });
    at = Math.max(at, to);
  }

  const last = entries.find((entry) => entry.what === "started" && entry.at !== null);
  const started = timeOf(last?.at) ?? timeOf(run.started_at);
  if (started !== null) {
    const bootFrom = timeOf(last?.details["instance_started_at"]);
    const bootTo = Math.min(started, timeOf(last?.details["instance_ready_at"]) ?? started);
    if (bootFrom !== null && bootTo > at) {
      add("queue", at, bootFrom);
      const setup = last?.details["instance_setup_seconds"];
      const from = Math.max(at, bootFrom);
      if (typeof setup === "number") {
        const setupFrom = Math.max(from, bootTo - setup * 1000);
        add("boot", from, setupFrom);
        add("setup", setupFrom, bootTo);
      } else {
        add("boot", from, bootTo, { label: BOTH });
      }
      at = bootTo;
    }
    add("queue", at, started);
    const label = lost.length > 0 ? `Run, attempt ${String(last?.details["attempt"] ?? lost.length + 1)}` : labels.run;
    add("run", started, completed ?? now, { isOpen: completed === null, label });
  } else {
    const boot = entries.filter((entry) => entry.what === "start" && !hasBooted(entries, entry)).at(-1);
    const bootFrom = timeOf(boot?.at);
    if (completed === null && bootFrom !== null) {
      add("queue", at, bootFrom);
      add("boot", Math.max(at, bootFrom), now, { isOpen: true, label: BOTH });
    } else {
      add("queue", at, completed ?? now, { isOpen: completed === null });
    }
  }

  if (completed !== null) {
    const told = entries.filter((entry) => entry.what === "webhook" && entry.at !== null).map((entry) => Date.parse(entry.at ?? ""));
    add("delivery", completed, Math.max(completed, ...told));
  }
  return spans;
}
