/** The scaling of a model as a form: an empty text is the server's setting. */
import type { Schemas } from "../../../api/client.ts";

type Scaling = Schemas["Scaling"];
export type Member = keyof Schemas["ScalingChange"];

export interface ScalingField {
  name: Member;
  label: string;
  kind: "number" | "switch" | "choice";
  help: string;
  unit?: string;
  min?: number;
  max?: number;
  choices?: readonly string[];
}

export const scalingFields: readonly ScalingField[] = [
  { name: "min_instances", label: "Minimum instances", kind: "number", min: 0, max: 1000, help: "Kept warm, for the latest version. Their hardware is reserved." },
  { name: "max_instances", label: "Maximum instances", kind: "number", min: 0, max: 10_000, help: "Of each version. 0 pauses the model: predictions stay queued." },
  { name: "idle_timeout", label: "Idle timeout", kind: "number", unit: "seconds", min: 0, max: 31_536_000, help: "The last instance stops after this time without work." },
  { name: "scale_down_delay", label: "Scale-down delay", kind: "number", unit: "seconds", min: 0, max: 86_400, help: "A surplus instance stops after this time without work." },
  { name: "on_demand", label: "On demand", kind: "switch", help: "Idle instances stay until another model needs their hardware." },
  { name: "concurrency", label: "Concurrency", kind: "number", min: 1, max: 256, help: "Predictions at the same time per instance; at most those of the version’s cog.yaml." },
  { name: "target", label: "Target utilisation", kind: "number", unit: "percent", min: 1, max: 100, help: "A lower value keeps room for bursts." },
  { name: "fast_start", label: "Fast start", kind: "switch", help: "Instances are forked from a process with the imports loaded." },
  { name: "snapshot", label: "Snapshot", kind: "switch", help: "Instances are forked from a process that has run setup()." },
  { name: "retry_safe", label: "Safe to retry", kind: "switch", help: "A run that was lost before any output is tried again." },
  { name: "network", label: "Network", kind: "choice", choices: ["outbound", "none", "host"], help: "What instances reach: outbound, public addresses by a proxy; none; or host, all that the server’s machine reaches." },
];

export type ScalingTexts = Record<Member, string>;

export function textsOf(scaling: Scaling): ScalingTexts {
  const texts = {} as ScalingTexts;
  for (const { name } of scalingFields) {
    const value = scaling[name] ?? null;
    texts[name] = value === null ? "" : String(value);
  }
  return texts;
}

function valueOf(field: ScalingField, text: string): number | boolean | string | null {
  if (text.trim() === "") return null;
  if (field.kind === "choice") return text;
  return field.kind === "switch" ? text === "true" : Number(text);
}

/** Only what was changed; null goes back to the server's setting. */
export function scalingChange(before: ScalingTexts, after: ScalingTexts): Schemas["ScalingChange"] {
  const changed = scalingFields.filter(({ name }) => before[name].trim() !== after[name].trim());
  return Object.fromEntries(changed.map((field) => [field.name, valueOf(field, after[field.name])]));
}

/** A value in effect, in words. */
export function effectiveText(scaling: Scaling, field: ScalingField): string {
  const value = scaling.effective[field.name];
  if (value === undefined) return "";
  return typeof value === "boolean" ? (value ? "on" : "off") : String(value);
}
