import { api, must } from "../../../api/client.ts";
import { useData } from "../../../api/use-data.ts";
import { duration } from "../../../ui/quantities.ts";
import { useWarm } from "../../explore/use-warm.ts";
import { warmthOf } from "../../explore/warmth.ts";
import { costOf } from "./cost.ts";

/** What the next run costs, how long it takes, and whether it waits for a boot, as far as earlier ones tell. */
export function Notices({ model, isSignedIn }: { model: string; isSignedIn: boolean }) {
  const warm = useWarm();
  const history = useData(
    async () => (isSignedIn ? must(api.GET("/v1/history", { params: { query: { model } } })) : null),
    [model, isSignedIn],
  );
  const known = history.data === null || typeof history.data === "string" ? null : history.data;
  const sentences = known === null ? [] : costOf(known, model);
  const boot = known?.targets.find((target) => target.name === model && target.kind === "model")?.load_seconds ?? null;
  return (
    <>
      {warm !== null && warmthOf(warm, model) === "cold" && (
        <p class="small muted">No instance runs now. The first run waits for a boot{boot !== null ? `, about ${duration(boot)}` : ""}.</p>
      )}
      {sentences.length > 0 && <p class="small muted">{sentences.join(" ")}</p>}
    </>
  );
}
