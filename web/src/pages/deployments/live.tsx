import { api, must } from "../../api/client.ts";
import { useData } from "../../api/use-data.ts";
import { counted, duration, shortId } from "../../ui/quantities.ts";
import { Pending } from "../../ui/states.tsx";
import { Time } from "../../ui/time.tsx";
import { Instances } from "../operate/instances.tsx";

const REFRESH_MS = 2000;
const DECISIONS_MS = 10_000;
const SHOWN = 8;

function Decisions({ deployment, model }: { deployment: string; model: string }) {
  const loaded = useData(() => must(api.GET("/v1/decisions", { params: { query: { model } } })), [model], { everyMs: DECISIONS_MS });
  const own = loaded.data?.results.filter((decision) => decision.deployment === deployment).slice(0, SHOWN);
  if (own === undefined || own.length === 0) return null;
  return (
    <>
      <h3>Latest decisions</h3>
      <ul class="deployments-decisions">
        {own.map((decision) => (
          <li key={decision.id}>
            <span class="muted small">
              <Time at={decision.at} />
            </span>{" "}
            {decision.sentence}
          </li>
        ))}
      </ul>
    </>
  );
}

/** Queue and instances of a deployment now; both need the scope admin. */
export function Live({ owner, name, model }: { owner: string; name: string; model: string }) {
  const loaded = useData(() => must(api.GET("/v1/status")), [], { everyMs: REFRESH_MS });
  const deployment = `${owner}/${name}`;
  if (loaded.data === null) return <Pending loaded={loaded} rows={2} />;
  const queues = loaded.data.queues.filter((queue) => queue.deployment === deployment);
  const instances = loaded.data.instances.filter((instance) => instance.deployment === deployment);
  return (
    <section class="stack deployments-part" aria-labelledby="now">
      <h2 id="now">Now</h2>
      {queues.map((queue) => (
        <p key={queue.version}>
          <span class="mono">{shortId(queue.version)}</span>: {counted(queue.waiting, "run waits", "runs wait")}
          {queue.waiting > 0 && ` (the first for ${duration(queue.oldest_wait_seconds)})`}, {counted(queue.running, "runs", "run")} on{" "}
          {counted(queue.slots, "slot", "slots")}.
        </p>
      ))}
      <Instances instances={instances} />
      <Decisions deployment={deployment} model={model} />
    </section>
  );
}
