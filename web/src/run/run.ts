/** A prediction or training, and what its state is called. */
import type { Schemas } from "../api/client.ts";

export type Run = Schemas["Prediction"] | Schemas["Training"];

export function isLive(run: Pick<Run, "status">): boolean {
  return run.status === "starting" || run.status === "processing";
}

export function isTraining(run: Run): boolean {
  return new URL(run.urls.get, location.origin).pathname.includes("/trainings/");
}

/** The address of a run on this page. */
export const pageOf = (run: Pick<Run, "id">): string => `/p/${encodeURIComponent(run.id)}`;

/** Seconds from one time of the API to another, or to `now` (milliseconds). */
export function secondsBetween(from: string | null | undefined, to: string | null | undefined, now: number): number | null {
  if (typeof from !== "string") return null;
  const end = typeof to === "string" ? Date.parse(to) : now;
  return Math.max(0, (end - Date.parse(from)) / 1000);
}
