import type { ComponentChildren } from "preact";
import { secondsBetween, type Run } from "../../run/run.ts";
import { duration, shortId } from "../../ui/quantities.ts";
import { Time } from "../../ui/time.tsx";
import type { Story } from "../../run/use-story.ts";

import { meteredOf } from "./metered.ts";

const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

function Fact({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** What is known of a run besides its data. */
export function Facts({ run, story }: { run: Run; story: Story | null }) {
  const total = secondsBetween(run.created_at, run.completed_at ?? null, Date.now());
  const metered = story?.entries.find((entry) => entry.what === "completed")?.details["metered"];
  const { hardware, cost } = meteredOf(metered);
  const deployment = "deployment" in run ? text(run.deployment) : null;
  return (
    <dl class="prediction-facts">
      <Fact label="Model"><a href={`/${run.model}`}>{run.model}</a></Fact>
      <Fact label="Version"><a class="mono" href={`/${run.model}/versions/${encodeURIComponent(run.version)}`} title={run.version}>{shortId(run.version)}</a></Fact>
      {deployment !== null && <Fact label="Deployment"><a href={`/deployments/${deployment}`}>{deployment}</a></Fact>}
      <Fact label="Source">{run.source === "web" ? "Web" : "API"}</Fact>
      {hardware !== null && <Fact label="Hardware">{hardware}</Fact>}
      {cost !== null && <Fact label="Cost">{cost}</Fact>}
      <Fact label="Created"><Time at={run.created_at} /></Fact>
      {typeof run.started_at === "string" && <Fact label="Started"><Time at={run.started_at} /></Fact>}
      {typeof run.completed_at === "string" && <Fact label="Completed"><Time at={run.completed_at} /></Fact>}
      {typeof run.completed_at === "string" && total !== null && <Fact label="Total time">{duration(total)}</Fact>}
    </dl>
  );
}
