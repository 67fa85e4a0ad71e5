/** The measurements of a run, in words. */
import { toJson } from "../api/json.ts";
import { duration } from "../ui/quantities.ts";

export interface Metric {
  label: string;
  value: string;
}

type Metrics = Readonly<Record<string, unknown>>;

const timeOf = (metrics: Metrics, name: string): number | null => {
  const value = metrics[name];
  return typeof value === "number" && value >= 0 ? value : null;
};

const seconds: readonly [string, string][] = [
  ["predict_time", "Run time"],
  ["total_time", "Total time"],
  ["time_to_first_token", "Time to first token"],
];

const counts: readonly [string, string][] = [
  ["input_token_count", "Input tokens"],
  ["output_token_count", "Output tokens"],
];

function shown(value: unknown): string {
  if (typeof value === "number") return Number.isInteger(value) ? value.toLocaleString("en") : String(Number(value.toPrecision(4)));
  return typeof value === "string" ? value : toJson(value);
}

/** Those with a meaning first, then the model's own under their names. */
export function metricsOf(metrics: Metrics): Metric[] {
  const list: Metric[] = [];
  for (const [name, label] of seconds) {
    const value = timeOf(metrics, name);
    if (value !== null) list.push({ label, value: duration(value) });
  }
  for (const [name, label] of counts) {
    const value = timeOf(metrics, name);
    if (value !== null) list.push({ label, value: shown(value) });
  }
  const tokens = timeOf(metrics, "output_token_count");
  const runTime = timeOf(metrics, "predict_time");
  const rate = timeOf(metrics, "tokens_per_second") ?? (tokens !== null && runTime ? tokens / runTime : null);
  if (rate !== null) list.push({ label: "Tokens per second", value: shown(Number(rate.toFixed(1))) });
  const known = new Set([...seconds, ...counts].map(([name]) => name)).add("tokens_per_second");
  for (const [name, value] of Object.entries(metrics)) {
    if (!known.has(name)) list.push({ label: name, value: shown(value) });
  }
  return list;
}
