import { toJson } from "../api/json.ts";
import { useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { Code } from "../ui/code.tsx";
import { Logs, ProgressBars } from "../run/logs.tsx";
import { MetricsList } from "../run/metrics-list.tsx";
import { isLive, type Run } from "../run/run.ts";
import { StatusLine } from "../run/status-line.tsx";
import { isTextIterator } from "./kind.ts";
import { Output } from "./output.tsx";
import { Switch } from "../ui/switch.tsx";

interface Props {
  run: Run;
  schema: unknown;
  /** Pieces that came ahead of the state. */
  pieces?: readonly string[];
  isCanceling?: boolean;
  /** What can be done with the run. */
  actions?: ComponentChildren;
}

const views = [
  { id: "preview", label: "Preview" },
  { id: "json", label: "JSON" },
] as const;

/** The output so far: the state's, or the longer one of the stream. */
export function outputOf(run: Run, pieces: readonly string[], schema: unknown): unknown {
  if (!isTextIterator(schema)) return run.output;
  const known = Array.isArray(run.output) ? run.output : [];
  return isLive(run) && pieces.length > known.length ? pieces : run.output;
}

/** A run: its state, output, error, logs and metrics. */
export function Result({ run, schema, pieces = [], isCanceling = false, actions }: Props) {
  const [view, setView] = useState<"preview" | "json">("preview");
  const live = isLive(run);
  return (
    <div class="stack">
      <div class="row spread">
        <StatusLine run={run} isCanceling={isCanceling} />
        <Switch label="Show the result as" options={views} value={view} onChange={setView} />
      </div>
      {run.error !== null && run.error !== "" && (
        <div class="result-error" role="alert">
          <strong>{run.error_code !== undefined ? `${run.error_code}: ` : ""}</strong>
          <span>{run.error}</span>
        </div>
      )}
      {view === "json" ? (
        <Code text={toJson(run, 2)} label="The prediction as JSON" />
      ) : (
        <>
          {live && <ProgressBars logs={run.logs} />}
          {run.data_removed ? (
            <p class="muted">The input, the output and the logs were removed.</p>
          ) : (
            <section aria-label="Output" aria-busy={live} class="result-output">
              {(run.status !== "failed" || run.output !== null) && (run.status !== "canceled" || run.output !== null) && (
                <Output value={outputOf(run, pieces, schema)} schema={schema} isLive={live} />
              )}
            </section>
          )}
        </>
      )}
      {actions !== undefined && <div class="row">{actions}</div>}
      {!live && <MetricsList run={run} />}
      <Logs key={run.id} id={run.id} logs={run.logs} isLive={live} isOpen={run.status === "failed" && run.logs !== ""} />
    </div>
  );
}
