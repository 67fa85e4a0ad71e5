/** The filters of a list of runs, as the address has them and as the API takes them. Pure. */
import type { RunRow } from "./run-list.ts";
import type { Filter, Kind } from "./use-runs.ts";

export const statuses: readonly RunRow["status"][] = ["starting", "processing", "succeeded", "failed", "canceled", "aborted"];

export const filterNames = ["status", "model", "version", "deployment", "source", "after", "before"] as const;

/** Whether a text can be owner/name. */
export const isReference = (text: string): boolean => /^[^\s/:]+\/[^\s/:]+$/.test(text.trim());

/** What the API would refuse is left out: an address may be typed. */
export function filterOf(kind: Kind, query: URLSearchParams): Filter {
  const filter: Filter = {};
  const text = (name: string) => query.get(name)?.trim() ?? "";
  const status = statuses.find((one) => one === text("status"));
  if (status !== undefined) filter.status = status;
  if (isReference(text("model"))) filter.model = text("model");
  if (/^[0-9a-f]{64}$/.test(text("version"))) filter.version = text("version");
  if (kind === "predictions" && isReference(text("deployment"))) filter.deployment = text("deployment");
  if (text("source") === "web") filter.source = "web";
  const time = (name: string) => {
    const at = new Date(`${text(name)}T00:00`);
    return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
  };
  const [after, before] = [time("after"), time("before")];
  if (after !== undefined) filter.created_after = after;
  if (before !== undefined) filter.created_before = before;
  return filter;
}
