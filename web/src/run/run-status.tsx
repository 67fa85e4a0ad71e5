import { Badge, type Tone } from "../ui/badge.tsx";
import type { Run } from "./run.ts";

/** What the states of a run are called and look like, everywhere. */
const states: Readonly<Record<Run["status"], { label: string; tone: Tone }>> = {
  starting: { label: "Starting", tone: "live" },
  processing: { label: "Processing", tone: "live" },
  succeeded: { label: "Succeeded", tone: "good" },
  failed: { label: "Failed", tone: "bad" },
  canceled: { label: "Canceled", tone: "plain" },
  aborted: { label: "Aborted", tone: "warn" },
};

export function RunStatus({ status, isCanceling = false }: { status: Run["status"]; isCanceling?: boolean }) {
  const { label, tone } = states[status];
  return <Badge tone={tone}>{isCanceling ? "Canceling" : label}</Badge>;
}
