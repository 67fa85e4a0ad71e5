import { api, must, type Schemas } from "../../api/client.ts";
import { useData } from "../../api/use-data.ts";

const EVERY_MS = 10_000;

/** Which of the models that one may see have instances; null until it is known. */
export function useWarm(): Schemas["Warm"] | null {
  return useData(() => must(api.GET("/v1/warm")), [], { everyMs: EVERY_MS }).data;
}
