import type { Schemas } from "../../api/client.ts";

type Status = Pick<Schemas["Status"], "queues" | "queues_left_out">;
export type Warmth = "warm" | "starting" | "cold";

/** Whether instances of the model itself are up; null when the status does not say. */
export function warmthOf(status: Status, model: string): Warmth | null {
  const own = status.queues.filter((queue) => queue.model === model && queue.deployment === null);
  if (own.some((queue) => queue.instances.ready > 0)) return "warm";
  if (own.some((queue) => queue.instances.starting + queue.instances.booting > 0)) return "starting";
  return own.length === 0 && status.queues_left_out > 0 ? null : "cold";
}
