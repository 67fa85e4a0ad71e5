/** What a release changed. Pure. */
import type { Schemas } from "../../api/client.ts";
import { shortId } from "../../ui/quantities.ts";
import { bounds, choices, numbers, switches } from "./settings.ts";

type Release = Pick<Schemas["Release"], "version" | "configuration">;

const labels = new Map<string, string>([
  ["hardware", "Hardware"],
  ...[...bounds, ...numbers, ...switches, ...choices].map(({ name, label }): [string, string] => [name, label]),
]);

const inWords = (value: unknown): string => (value === undefined ? "the server's" : value === true ? "yes" : value === false ? "no" : String(value));

/** Sentences without a full stop: "Hardware: cpu to gpu". */
export function changesOfRelease(older: Release, newer: Release): string[] {
  const [before, now] = [older.configuration as Record<string, unknown>, newer.configuration as Record<string, unknown>];
  const changes: string[] = [];
  if (older.version !== newer.version) changes.push(`Version: ${shortId(older.version)} to ${shortId(newer.version)}`);
  for (const name of new Set([...Object.keys(before), ...Object.keys(now)])) {
    if (before[name] !== now[name]) changes.push(`${labels.get(name) ?? name}: ${inWords(before[name])} to ${inWords(now[name])}`);
  }
  return changes;
}
