import { useState } from "preact/hooks";
import { api, must } from "../../api/client.ts";
import { isLive, isTraining, type Run } from "../../run/run.ts";
import type { LiveRun } from "../../run/use-run.ts";
import { trainedVersion } from "../model/tabs/trained-version.ts";
import { useMay } from "../../session.tsx";
import { Confirm } from "../../ui/dialog.tsx";
import { findRun } from "./find-run.ts";
import { ShareDialog } from "./share.tsx";

async function removeData(run: Run): Promise<void> {
  const params = { params: { path: { id: run.id } } };
  await must(isTraining(run) ? api.DELETE("/v1/trainings/{id}", params) : api.DELETE("/v1/predictions/{id}", params));
}

/** What can be done with a run. */
export function Actions({ run, live }: { run: Run; live: LiveRun }) {
  const [asks, setAsks] = useState<"share" | "remove" | null>(null);
  const mayRun = useMay("run");
  const training = isTraining(run);
  const trained = training ? trainedVersion(run.output) : null;
  const query = new URLSearchParams({ prediction: run.id, version: run.version });
  const hasEnded = !isLive(run) && !run.data_removed;
  const close = () => setAsks(null);
  return (
    <div class="row">
      {isLive(run) && mayRun && (
        <button type="button" class="button button-danger" disabled={live.isCanceling} onClick={live.cancel}>
          {live.isCanceling ? "Canceling" : "Cancel"}
        </button>
      )}
      {!training && !run.data_removed && (
        <a class="button" href={`/${run.model}?${query.toString()}`}>Run again with changes</a>
      )}
      {trained !== null && <a class="button" href={`/${trained.model}?version=${encodeURIComponent(trained.id)}`}>Try the new version</a>}
      {hasEnded && mayRun && !training && (
        <button type="button" class="button" onClick={() => setAsks("share")}>Share</button>
      )}
      {hasEnded && mayRun && (
        <button type="button" class="button button-danger" onClick={() => setAsks("remove")}>Delete the data</button>
      )}
      {asks === "share" && <ShareDialog id={run.id} onClose={close} />}
      {asks === "remove" && (
        <Confirm
          title="Delete the data of this run?"
          action="Delete the data"
          onClose={close}
          onConfirm={async () => {
            await removeData(run);
            live.show(await findRun(run.id));
          }}
        >
          <p>Input, output, logs and files go, and a link to them. Status, times and cost stay. This cannot be undone.</p>
        </Confirm>
      )}
    </div>
  );
}
