import { api, must, type Schemas } from "../api/client.ts";
import { useData } from "../api/use-data.ts";
import type { Run } from "./run.ts";

export type Story = Schemas["Explanation"];

/** The events of a run with the scheduler's sentences. */
export function useStory(run: Run | null, { everyMs = 0 } = {}): Story | null {
  const id = run?.id ?? "";
  const story = useData(
    async () => (id === "" ? null : must(api.GET("/v1/predictions/{id}/explanation", { params: { path: { id } } }))),
    [id, run?.status],
    { everyMs },
  );
  return story.data?.id === id ? story.data : null;
}
