import { duration } from "../ui/quantities.ts";
import { RunStatus } from "./run-status.tsx";
import { isLive, secondsBetween, type Run } from "./run.ts";
import { useNow } from "./use-now.ts";
import { useStory } from "./use-story.ts";
import "./run.css";

const STORY_MS = 1000;

function place(run: Run): string {
  if (run.queue === undefined) return "Waiting to start";
  const { position, eta_seconds } = run.queue;
  const eta = eta_seconds === null ? "" : `, starts in about ${duration(eta_seconds)}`;
  return position === 1 ? `Next in the queue${eta}` : `Number ${position} in the queue${eta}`;
}

/** What the run does now, in words that a screen reader hears when they change. */
function sentence(run: Run): string {
  switch (run.status) {
    case "starting":
      return place(run);
    case "processing":
      return "The model runs";
    case "succeeded":
      return "";
    case "failed":
      return "";
    case "canceled":
      return "Canceled";
    case "aborted":
      return "Canceled before it started";
  }
}

/** Events that the line above says already. */
const told = new Set(["created", "queued", "waiting"]);

/** The scheduler's last sentence of a run that waits. */
function WaitReason({ run }: { run: Run }) {
  const story = useStory(run, { everyMs: STORY_MS });
  const last = story?.entries.filter((entry) => !told.has(entry.what)).at(-1);
  return <p class="small muted run-reason">{last?.sentence ?? " "}</p>;
}

export function StatusLine({ run, isCanceling = false }: { run: Run; isCanceling?: boolean }) {
  const live = isLive(run);
  const now = useNow(live);
  const elapsed =
    run.status === "starting" ? secondsBetween(run.created_at, null, now) : secondsBetween(run.started_at, run.completed_at, now);
  return (
    <div class="run-status">
      <div class="row">
        <span role="status" class="row">
          <RunStatus status={run.status} isCanceling={isCanceling} />
          <span>{sentence(run)}</span>
        </span>
        {elapsed !== null && live && (
          <span class="muted run-elapsed" aria-hidden="true">{elapsed.toFixed(1)} s</span>
        )}
        {!live && run.status === "succeeded" && elapsed !== null && (
          <span class="muted">Ran for {duration(elapsed)}</span>
        )}
      </div>
      {run.status === "starting" && <WaitReason run={run} />}
    </div>
  );
}
