import type { Schemas } from "../../api/client.ts";
import { Badge, type Tone } from "../../ui/badge.tsx";
import { bytes, duration, shortId } from "../../ui/quantities.ts";
import { Table, type Column } from "../../ui/table.tsx";

export type Instance = Schemas["Status"]["instances"][number];

const tones: Record<Instance["state"], Tone> = {
  starting: "live",
  booting: "live",
  ready: "good",
  stopping: "plain",
  gone: "plain",
};

const columns: readonly Column<Instance>[] = [
  { head: "Instance", isMinor: true, cell: (instance) => <span class="mono">{shortId(instance.id)}</span> },
  {
    head: "Model",
    value: (instance) => instance.deployment ?? instance.model,
    cell: (instance) => (
      <>
        <a href={`/${instance.model}`}>{instance.model}</a> <span class="mono muted">{shortId(instance.version)}</span>
        {instance.deployment !== null && (
          <span class="small muted">
            {" "}
            of <a href={`/deployments/${instance.deployment}`}>{instance.deployment}</a>
          </span>
        )}
      </>
    ),
  },
  {
    head: "State",
    value: (instance) => instance.state,
    cell: (instance) => <Badge tone={instance.draining ? "warn" : tones[instance.state]}>{instance.draining ? "draining" : instance.state}</Badge>,
  },
  { head: "Running", isNumber: true, value: (instance) => instance.running, cell: (instance) => `${instance.running} of ${instance.slots}` },
  { head: "Hardware", isMinor: true, cell: (instance) => (instance.gpus.length > 0 ? `${instance.hardware}, GPU ${instance.gpus.join(", ")}` : instance.hardware) },
  { head: "Age", isNumber: true, value: (instance) => instance.age_seconds, cell: (instance) => duration(Math.round(instance.age_seconds)) },
  { head: "Memory", isNumber: true, value: (instance) => instance.memory, cell: (instance) => bytes(instance.memory) },
  { head: "CPU time", isNumber: true, isMinor: true, value: (instance) => instance.cpu_seconds, cell: (instance) => duration(instance.cpu_seconds) },
];

export function Instances({ instances }: { instances: readonly Instance[] }) {
  if (instances.length === 0) return <p class="muted">No instance is up. One starts with the next request.</p>;
  return <Table label="Instances" columns={columns} rows={instances} keyOf={(instance) => instance.id} />;
}
