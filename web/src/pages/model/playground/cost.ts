/** What runs of a model took and cost, from the caller's own history of it. */
import type { Schemas } from "../../../api/client.ts";
import { duration } from "../../../ui/quantities.ts";

type History = Pick<Schemas["History"], "targets" | "requests">;

/** Fewer runs say too little about the next one. */
const LEAST_RUNS = 3;

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** Two digits that count, never as a power of ten: 0.0028, 1.3. */
function amount(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toLocaleString("en", { maximumSignificantDigits: 2 });
}

/** Sentences about the next run, or none. */
export function costOf(history: History, model: string): string[] {
  const at = history.targets.findIndex((target) => target.kind === "model" && target.name === model);
  const target = history.targets[at];
  if (target === undefined) return [];
  const runs = history.requests.run_us.filter((_, i) => history.requests.target[i] === at).sort((a, b) => a - b);
  if (runs.length < LEAST_RUNS) return [];
  const median = quantile(runs, 0.5) / 1e6;
  const most = quantile(runs, 0.9) / 1e6;
  const sentences = [];
  const price = target.price === null ? NaN : Number(target.price);
  if (price > 0 && target.billed === "run" && median > 0) {
    const cost = median * price;
    const perUnit = Math.floor(1 / cost);
    sentences.push(`A run costs about ${amount(cost)}${perUnit >= 2 ? `, or ${perUnit.toLocaleString("en")} runs for 1` : ""}.`);
  } else if (price > 0 && target.billed === "instance") {
    sentences.push(`An instance costs ${amount(price * 3600)} an hour while it is up.`);
  }
  sentences.push(`Runs typically complete within ${duration(most)}.`);
  if (most > median * 3 && most > 0.5) sentences.push("The run time varies with the inputs.");
  return sentences;
}
