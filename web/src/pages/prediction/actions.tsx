import { isLive, isTraining, type Run } from "../../run/run.ts";
import type { LiveRun } from "../../run/use-run.ts";
import { trainedVersion } from "../model/tabs/trained-version.ts";
import { useMay } from "../../session.tsx";

/** What can be done with a run. */
export function Actions({ run, live }: { run: Run; live: LiveRun }) {
  const mayRun = useMay("run");
  const training = isTraining(run);
  const trained = training ? trainedVersion(run.output) : null;
  const query = new URLSearchParams({ prediction: run.id, version: run.version });
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
    </div>
  );
}
