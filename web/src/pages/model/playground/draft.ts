/** What somebody has filled in, kept over a change of tab and a reload. Secrets are not kept. */
import { fromJson, toJson } from "../../../api/json.ts";
import type { Field } from "../../../form/schema.ts";
import type { Values } from "../../../form/values.ts";

const MOST_BYTES = 100_000;
const keyOf = (model: string) => `draft:${model}`;

export function keepDraft(model: string, values: Values, fields: readonly Field[]): void {
  const kept = { ...values };
  for (const field of fields) if (field.shape === "secret") delete kept[field.name];
  try {
    const text = toJson(kept);
    if (text.length <= MOST_BYTES) sessionStorage.setItem(keyOf(model), text);
  } catch {
    // Without storage a reload begins anew.
  }
}

/** The values of the form of `owner/name`, also for the calls on other tabs; null when nothing was filled in. */
export function readDraft(model: string): Values | null {
  try {
    const parsed: unknown = fromJson(sessionStorage.getItem(keyOf(model)) ?? "null");
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? (parsed as Values) : null;
  } catch {
    return null;
  }
}

export function dropDraft(model: string): void {
  try {
    sessionStorage.removeItem(keyOf(model));
  } catch {
    // Nothing was kept.
  }
}
