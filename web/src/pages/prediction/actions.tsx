import { isLive, isTraining, type Run } from "../../run/run.ts";
import type { LiveRun } from "../../run/use-run.ts";
import { useMay } from "../../session.tsx";

/** Where the version that a training made can be tried; null before there is one. */
function trainedVersion(run: Run): string | null {
  const { output } = run;
  const made = typeof output === "object" && output !== null && "version" in output ? output.version : null;
  if (!isTraining(run) || typeof made !== "string") return null;
  const [model = "", version = ""] = made.split(":");
  return `/${model}?version=${encodeURIComponent(version)}`;
}

/** What can be done with a run. */
export function Actions({ run, live }: { run: Run; live: LiveRun }) {
  const mayRun = useMay("run");
  const training = isTraining(run);
  const trained = trainedVersion(run);
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
      {trained !== null && <a class="button" href={trained}>Try the new version</a>}
    </div>
  );
}
