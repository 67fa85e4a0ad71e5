import { api, must, type Schemas } from "../../api/client.ts";
import { useData } from "../../api/use-data.ts";
import { Badge, type Tone } from "../../ui/badge.tsx";
import { Facts } from "../../ui/facts.tsx";
import { Meter } from "../../ui/meter.tsx";
import { bytes, count, counted, duration } from "../../ui/quantities.ts";
import { Pending } from "../../ui/states.tsx";
import { Table, type Column } from "../../ui/table.tsx";
import { Instances } from "./instances.tsx";
import "./overview.css";

type Status = Schemas["Status"];
type Queue = Status["queues"][number];
type Gpu = Status["gpus"][number];

const REFRESH_MS = 2000;

function stateOf(status: Status): { tone: Tone; word: string } {
  if (status.draining) return { tone: "warn", word: "shutting down" };
  if (status.recovering) return { tone: "warn", word: "recovering what ran before the start" };
  return { tone: "good", word: "working" };
}

const optional = (seconds: number | null) => (seconds === null ? "–" : duration(seconds));

const queueColumns: readonly Column<Queue>[] = [
  {
    head: "Model or deployment",
    value: (queue) => queue.deployment ?? queue.model,
    cell: (queue) =>
      queue.deployment !== null ? <a href={`/deployments/${queue.deployment}`}>{queue.deployment}</a> : <a href={`/${queue.model}`}>{queue.model}</a>,
  },
  { head: "Waiting", isNumber: true, value: (queue) => queue.waiting, cell: (queue) => count(queue.waiting) },
  { head: "Oldest waits", isNumber: true, value: (queue) => queue.oldest_wait_seconds, cell: (queue) => (queue.waiting > 0 ? duration(queue.oldest_wait_seconds) : "–") },
  { head: "Running", isNumber: true, value: (queue) => queue.running, cell: (queue) => `${queue.running} of ${queue.slots}` },
  {
    head: "Instances",
    isNumber: true,
    value: (queue) => queue.instances.ready,
    cell: (queue) => `${queue.instances.ready} (${queue.min_instances} to ${queue.max_instances})`,
  },
  { head: "Boot", isNumber: true, isMinor: true, value: (queue) => queue.boot_seconds, cell: (queue) => optional(queue.boot_seconds) },
  { head: "Run", isNumber: true, isMinor: true, value: (queue) => queue.run_seconds, cell: (queue) => optional(queue.run_seconds) },
  {
    head: "Failed boots",
    isNumber: true,
    value: (queue) => queue.boot_failures,
    cell: (queue) => (queue.boot_failures > 0 ? <Badge tone="bad">{`${queue.boot_failures} in a row`}</Badge> : "0"),
  },
];

const gpuColumns: readonly Column<Gpu>[] = [
  { head: "GPU", isNumber: true, cell: (gpu) => gpu.index },
  { head: "Name", cell: (gpu) => gpu.name },
  { head: "Memory", isNumber: true, cell: (gpu) => bytes(gpu.memory) },
  { head: "State", cell: (gpu) => (gpu.fault === null ? <Badge tone="good">healthy</Badge> : <Badge tone="bad">{gpu.fault}</Badge>) },
  { head: "Instance", cell: (gpu) => gpu.instance ?? "none" },
];

function Machine({ status }: { status: Status }) {
  const { machine, hardware } = status;
  const taken = machine.memory - machine.memory_available;
  return (
    <section class="stack" aria-labelledby="machine">
      <h2 id="machine">Machine</h2>
      <Table
        label="Machine and hardware"
        columns={[
          { head: "Part", cell: (row) => row.part },
          { head: "In use", cell: (row) => row.text },
          { head: "Share", cell: (row) => <Meter label={`${row.part} in use`} used={row.used} of={row.of} /> },
        ]}
        rows={[
          ...hardware.map((kind) => ({
            part: kind.gpus > 0 ? `${kind.name} (${counted(kind.gpus, "GPU", "GPUs")} each)` : kind.name,
            text: `${kind.used} of ${counted(kind.units, "unit", "units")}`,
            used: kind.used,
            of: kind.units,
          })),
          { part: "Memory", text: `${bytes(taken)} of ${bytes(machine.memory)}`, used: taken, of: machine.memory },
          {
            part: "Load of the cores",
            text: `${machine.load.map((load) => load.toFixed(1)).join(", ")} on ${counted(machine.cores, "core", "cores")}, over 1, 5 and 15 minutes`,
            used: machine.load[0] ?? 0,
            of: machine.cores,
          },
        ]}
        keyOf={(row) => row.part}
      />
      {status.gpus.length > 0 && <Table label="GPUs" columns={gpuColumns} rows={status.gpus} keyOf={(gpu) => gpu.uuid} />}
    </section>
  );
}

function LeftOut({ n }: { n: number }) {
  return n > 0 ? <p class="muted small">{count(n)} more are not shown; those here are the busiest.</p> : null;
}

export function Overview(_: { query: URLSearchParams }) {
  const loaded = useData(() => must(api.GET("/v1/status")), [], { everyMs: REFRESH_MS });
  const status = loaded.data;
  if (status === null) return <Pending loaded={loaded} rows={8} />;
  const { totals, server } = status;
  const state = stateOf(status);
  return (
    <div class="stack operate-parts">
      <p class="row">
        <Badge tone={state.tone}>{state.word}</Badge>
        <span class="muted small">
          Vend {server.version}, up for {duration(server.uptime_seconds)}. Read again every two seconds.
        </span>
      </p>
      <Facts
        facts={[
          ["Waiting", count(totals.waiting)],
          ["Running", count(totals.running)],
          ["Ready instances", count(totals.instances.ready)],
          ["Booting instances", count(totals.instances.starting + totals.instances.booting)],
          ["Ended runs", count(totals.ended)],
          ["Instance starts", count(totals.instance_starts)],
          ["Lost runs", count(totals.runs_lost)],
        ]}
      />
      <Machine status={status} />
      <section class="stack" aria-labelledby="queues">
        <h2 id="queues">Queues</h2>
        {status.queues.length > 0 ? (
          <Table label="Queues" columns={queueColumns} rows={status.queues} keyOf={(queue) => `${queue.deployment ?? ""} ${queue.model} ${queue.version} ${queue.hardware}`} />
        ) : (
          <p class="muted">No model has been run since the server started.</p>
        )}
        <LeftOut n={status.queues_left_out} />
      </section>
      <section class="stack" aria-labelledby="instances">
        <h2 id="instances">Instances</h2>
        <Instances instances={status.instances} />
        <LeftOut n={status.instances_left_out} />
      </section>
    </div>
  );
}
