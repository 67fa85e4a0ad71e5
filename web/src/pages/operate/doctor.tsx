import { api, must, type Schemas } from "../../api/client.ts";
import { useData } from "../../api/use-data.ts";
import { Badge, type Tone } from "../../ui/badge.tsx";
import { Code } from "../../ui/code.tsx";
import { counted } from "../../ui/quantities.ts";
import { Failure, Loading } from "../../ui/states.tsx";
import "./settings.css";

type Check = Schemas["Doctor"]["checks"][number];

const states: Readonly<Record<Check["status"], { label: string; tone: Tone }>> = {
  ok: { label: "Good", tone: "good" },
  warn: { label: "Warning", tone: "warn" },
  fail: { label: "Fails", tone: "bad" },
};

function summary(checks: readonly Check[]): string {
  const n = (status: Check["status"]) => checks.filter((check) => check.status === status).length;
  if (n("fail") > 0) return `${counted(n("fail"), "check fails", "checks fail")}: models may not build or run.`;
  return n("warn") > 0 ? `${counted(n("warn"), "warning", "warnings")}. Nothing that is needed is missing.` : "All is well.";
}

/** The parts of the server's machine that Vend uses or lacks, as `vend doctor` says them there. */
export function Doctor(_: { query: URLSearchParams }) {
  const loaded = useData(() => must(api.GET("/v1/doctor")), []);
  const { data, error, isLoading, reload } = loaded;
  return (
    <div class="stack">
      <div class="row">
        <button type="button" class="button" disabled={isLoading} onClick={reload}>
          {isLoading ? "Checking" : "Check again"}
        </button>
        <span role="status">{data !== null && !isLoading ? summary(data.checks) : ""}</span>
      </div>
      {error !== null && !isLoading && <Failure message={error.message} onRetry={reload} />}
      {data === null && error === null && <Loading rows={8} label="Checking the machine" />}
      {data !== null && (
        <ul class="doctor-checks" aria-label="Checks of the server's machine">
          {data.checks.map((check, i) => (
            <li key={i} class="doctor-check">
              <span><Badge tone={states[check.status].tone}>{states[check.status].label}</Badge></span>
              <strong>{check.check}</strong>
              <span>{check.detail}</span>
            </li>
          ))}
        </ul>
      )}
      <section class="stack" aria-labelledby="doctor-audit">
        <h2 id="doctor-audit">On the command line</h2>
        <p class="muted">
          Whether database, files, processes and the live state agree is an audit that reads everything: it runs as a command on the machine of the
          server.
        </p>
        <Code label="The command of the audit" text="vend doctor --audit" />
      </section>
    </div>
  );
}
