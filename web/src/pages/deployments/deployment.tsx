import { useState } from "preact/hooks";
import type { PageProps } from "../../app.tsx";
import { api, must, type Schemas } from "../../api/client.ts";
import { useData } from "../../api/use-data.ts";
import { navigate } from "../../router.ts";
import { Secrets } from "../../secrets/secrets.tsx";
import { useMay } from "../../session.tsx";
import { Code } from "../../ui/code.tsx";
import { Confirm } from "../../ui/dialog.tsx";
import { Facts } from "../../ui/facts.tsx";
import { shortId } from "../../ui/quantities.ts";
import { Pending } from "../../ui/states.tsx";
import { Time } from "../../ui/time.tsx";
import { EditSettings, Roll } from "./change.tsx";
import { History } from "./history.tsx";
import { Live } from "./live.tsx";
import { WarmCost } from "./warm-cost.tsx";
import "./deployments.css";

type Deployment = Schemas["Deployment"];

const REFRESH_MS = 5000;

function Delete({ deployment }: { deployment: Deployment }) {
  const [isOpen, setOpen] = useState(false);
  const { owner, name } = deployment;
  const remove = async () => {
    await must(api.DELETE("/v1/deployments/{owner}/{name}", { params: { path: { owner, name } } }));
    navigate("/deployments");
  };
  return (
    <section class="stack deployments-part" aria-labelledby="delete">
      <h2 id="delete">Delete</h2>
      <p class="muted">Only an idle deployment can be deleted: its minimum is 0, and it has had no run for some time.</p>
      <div>
        <button type="button" class="button button-danger" onClick={() => setOpen(true)}>
          Delete this deployment
        </button>
      </div>
      {isOpen && (
        <Confirm title={`Delete ${owner}/${name}`} action="Delete" typed={name} onConfirm={remove} onClose={() => setOpen(false)}>
          <p>Programs that call it are refused from then on. Its runs stay in the list.</p>
        </Confirm>
      )}
    </section>
  );
}

function callOf({ owner, name }: Deployment): string {
  return [
    `curl -s ${location.origin}/v1/deployments/${owner}/${name}/predictions \\`,
    `  -H "Authorization: Bearer $REPLICATE_API_TOKEN" \\`,
    `  -H "Content-Type: application/json" -H "Prefer: wait" \\`,
    `  -d '{"input": {}}'`,
  ].join("\n");
}

export function DeploymentPage({ params }: PageProps) {
  const owner = params["owner"] ?? "";
  const name = params["name"] ?? "";
  const mayPush = useMay("push");
  const isAdmin = useMay("admin");
  const loaded = useData(
    () => must(api.GET("/v1/deployments/{owner}/{name}", { params: { path: { owner, name } } })),
    [owner, name],
    { everyMs: REFRESH_MS },
  );
  const [said, setSaid] = useState("");
  const changed = (text: string) => {
    setSaid(text);
    loaded.reload();
  };
  const deployment = loaded.data;
  if (deployment === null) return <Pending loaded={loaded} rows={6} />;
  const release = deployment.current_release;
  const { configuration } = release;
  return (
    <div class="stack">
      <div>
        <p class="small">
          <a href="/deployments">Deployments</a>
        </p>
        <h1>
          {owner}/{name}
        </h1>
        <p class="muted">
          Runs <a href={`/${release.model}`}>{release.model}</a> <span class="mono">{shortId(release.version)}</span>. Released{" "}
          <Time at={release.created_at} /> by {release.created_by.username}.{" "}
          <a href={`/predictions?deployment=${encodeURIComponent(`${owner}/${name}`)}`}>Its predictions</a>
        </p>
      </div>
      <Facts
        facts={[
          ["Release", release.number],
          ["Hardware", configuration.hardware],
          ["Minimum", configuration.min_instances],
          ["Maximum", configuration.max_instances === 0 ? "0, paused" : configuration.max_instances],
        ]}
      />
      <p role="status" class={said === "" ? "visually-hidden" : undefined}>
        {said}
      </p>
      <WarmCost configuration={configuration} />
      {isAdmin && <Live owner={owner} name={name} model={release.model} />}
      {mayPush && (
        <>
          <Roll deployment={deployment} onDone={changed} />
          <EditSettings key={release.number} deployment={deployment} onDone={changed} />
          <section class="stack deployments-part" aria-labelledby="secrets">
            <h2 id="secrets">Secrets</h2>
            <p class="muted">Variables of its instances. They count before those of the model with the same name.</p>
            <Secrets of={{ kind: "deployment", owner, name }} />
          </section>
        </>
      )}
      <History owner={owner} name={name} current={release.number} />
      <section class="stack deployments-part" aria-labelledby="call">
        <h2 id="call">Call it</h2>
        <Code text={callOf(deployment)} label="Call of the deployment" />
      </section>
      {mayPush && <Delete deployment={deployment} />}
    </div>
  );
}
