import type { Schemas } from "../../api/client.ts";
import type { Tone } from "../../ui/badge.tsx";

export type Warmth = "warm" | "starting" | "cold";

/** Whether instances of the model itself are up; null when the list is cut before it. */
export function warmthOf(warm: Schemas["Warm"], model: string): Warmth | null {
  return (Object.hasOwn(warm.models, model) ? warm.models[model] : undefined) ?? (warm.complete ? "cold" : null);
}

export const warmths: Readonly<Record<Warmth, { label: string; tone: Tone; title: string }>> = {
  warm: { label: "Warm", tone: "good", title: "An instance is ready: a run starts at once." },
  starting: { label: "Booting", tone: "live", title: "An instance boots now." },
  cold: { label: "Cold", tone: "plain", title: "No instance runs: the first run waits for a boot." },
};
