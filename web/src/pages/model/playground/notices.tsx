import { api, must, type Schemas } from "../../../api/client.ts";
import { useData } from "../../../api/use-data.ts";
import { duration } from "../../../ui/quantities.ts";
import { useWarm } from "../../explore/use-warm.ts";
import { warmthOf } from "../../explore/warmth.ts";
import { costOf } from "./cost.ts";

const HOUR_MS = 3_600_000;
/** A busy model has a long history: the shortest time with runs enough tells the same. */
const SPANS_MS = [HOUR_MS, 24 * HOUR_MS, 30 * 24 * HOUR_MS];
const ENOUGH_RUNS = 20;

async function readHistory(model: string): Promise<Schemas["History"] | null> {
  let known: Schemas["History"] | null = null;
  for (const span of SPANS_MS) {
    const query = { model, since: new Date(Date.now() - span).toISOString() };
    const read = await must(api.GET("/v1/history", { params: { query } }));
    if (typeof read === "string") return null;
    known = read;
    if (read.requests.run_us.length >= ENOUGH_RUNS) break;
  }
  return known;
}

/** What the next run costs, how long it takes, and whether it waits for a boot, as far as earlier ones tell. */
export function Notices({ model, isSignedIn }: { model: string; isSignedIn: boolean }) {
  const warm = useWarm();
  const history = useData(async () => (isSignedIn ? readHistory(model) : null), [model, isSignedIn]);
  const known = history.data;
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
