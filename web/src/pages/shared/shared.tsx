import { api, must } from "../../api/client.ts";
import { useData } from "../../api/use-data.ts";
import type { PageProps } from "../../app.tsx";
import { Output } from "../../output/output.tsx";
import { Logs } from "../../run/logs.tsx";
import { InputList } from "../../run/input-list.tsx";
import { RunStatus } from "../../run/run-status.tsx";
import { Empty, Pending } from "../../ui/states.tsx";
import { Time } from "../../ui/time.tsx";
import { useTitle } from "../../ui/title.ts";
import { isMissing } from "../prediction/find-run.ts";
import "../prediction/prediction.css";

/** A prediction that somebody shared; who looks at it may have no account here. */
export function SharedPage({ params }: PageProps) {
  const { token = "" } = params;
  const shared = useData(() => must(api.GET("/v1/shared/{token}", { params: { path: { token } } })), [token]);
  useTitle("Shared prediction");
  if (isMissing(shared.error)) {
    return (
      <Empty title="This link shows nothing any more">
        <p>It was taken back, or the data were deleted.</p>
      </Empty>
    );
  }
  if (shared.data === null) return <Pending loaded={shared} rows={6} />;
  const run = shared.data;
  return (
    <div class="prediction stack">
      <header class="stack stack-tight">
        <h1>A prediction of {run.model}</h1>
        <div class="row">
          <RunStatus status={run.status} />
          <span class="muted"><Time at={run.created_at} /></span>
        </div>
      </header>
      <div class="prediction-sides">
        <section class="card stack" aria-labelledby="shared-input">
          <h2 id="shared-input">Input</h2>
          <InputList input={run.input} fields={[]} hasViews />
        </section>
        <section class="card stack" aria-labelledby="shared-output">
          <h2 id="shared-output">Output</h2>
          {run.error !== null && <p class="error-text">{run.error}</p>}
          {run.output !== null && <Output value={run.output} schema={null} isLive={false} />}
          <Logs id={run.id} logs={run.logs} isLive={false} isOpen={false} />
        </section>
      </div>
    </div>
  );
}
