import { api, must } from "../../../api/client.ts";
import { useData } from "../../../api/use-data.ts";
import { duration } from "../../../ui/quantities.ts";
import { useStatus } from "../../explore/use-status.ts";
import { warmthOf } from "../../explore/warmth.ts";
import { costOf } from "./cost.ts";

/** What the next run costs and how long it takes, as far as earlier ones tell. */
export function CostNotice({ model }: { model: string }) {
  const history = useData(() => must(api.GET("/v1/history", { params: { query: { model } } })), [model]);
  const sentences = history.data === null || typeof history.data === "string" ? [] : costOf(history.data, model);
  return sentences.length === 0 ? null : <p class="small muted">{sentences.join(" ")}</p>;
}

/** That the next run waits for a boot, for those who may know. */
export function ColdNotice({ model }: { model: string }) {
  const status = useStatus();
  if (status === null || warmthOf(status, model) !== "cold") return null;
  const boots = status.queues.filter((queue) => queue.model === model).map((queue) => queue.boot_seconds ?? 0);
  const boot = Math.max(0, ...boots);
  return (
    <p class="small muted">
      No instance runs now. The first run waits for a boot{boot > 0 ? `, about ${duration(boot)}` : ""}.
    </p>
  );
}
