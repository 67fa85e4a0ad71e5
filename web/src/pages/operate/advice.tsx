import { api, must, type Schemas } from "../../api/client.ts";
import { useData } from "../../api/use-data.ts";
import { Code } from "../../ui/code.tsx";
import { count, duration } from "../../ui/quantities.ts";
import { Empty, Pending } from "../../ui/states.tsx";
import { Table, type Column } from "../../ui/table.tsx";

type Target = Schemas["History"]["targets"][number];

function numberOf(target: Target, name: string): number | null {
  const value = target.scaling[name];
  return typeof value === "number" ? value : null;
}

const bounds = (target: Target) => `${numberOf(target, "min_instances") ?? "–"} to ${numberOf(target, "max_instances") ?? "–"}`;

function idleTimeout(target: Target): string {
  if (target.scaling["on_demand"] === true) return "none, until others need the room";
  const seconds = numberOf(target, "idle_timeout");
  return seconds === null ? "–" : duration(seconds);
}

const columns: readonly Column<Target>[] = [
  {
    head: "Model or deployment",
    value: (target) => target.name,
    cell: (target) => <a href={target.kind === "deployment" ? `/deployments/${target.name}` : `/${target.name}`}>{target.name}</a>,
  },
  { head: "Requests", isNumber: true, value: (target) => target.requests, cell: (target) => count(target.requests) },
  { head: "Mean wait", isNumber: true, value: (target) => target.wait_seconds, cell: (target) => duration(target.wait_seconds) },
  {
    head: "A load takes",
    isNumber: true,
    value: (target) => target.load_seconds,
    cell: (target) => (target.load_seconds === null ? "not measured" : duration(target.load_seconds)),
  },
  { head: "Instances", isNumber: true, cell: bounds },
  { head: "Idle timeout", isMinor: true, cell: idleTimeout },
  { head: "Billed by", isMinor: true, cell: (target) => (target.billed === "run" ? "runs" : "instances") },
];

/** What `vend advise` reckons with. The reckoning itself is the command's. */
export function Advice(_: { query: URLSearchParams }) {
  const loaded = useData(() => must(api.GET("/v1/history")), []);
  if (loaded.data === null) return <Pending loaded={loaded} rows={5} />;
  const targets = loaded.data.targets.toSorted((a, b) => b.requests - a.requests);
  const first = targets[0];
  if (first === undefined) {
    return (
      <Empty title="No history yet">
        <p>Advice comes from requests of at least an hour. Run a model first.</p>
      </Empty>
    );
  }
  return (
    <div class="stack">
      <p>
        <code>vend advise</code> replays this history with other settings, and tells which of them cost less or wait less.
      </p>
      <Code label="The command of the advice" text={`vend advise\nvend advise ${first.name}`} />
      <Table label="Requests of the last 30 days" columns={columns} rows={targets} keyOf={(target) => `${target.kind} ${target.name}`} />
      {!loaded.data.complete && <p class="muted small">Only the newest 200,000 requests are counted.</p>}
    </div>
  );
}
