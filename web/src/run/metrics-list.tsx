import { metricsOf } from "./metrics.ts";
import type { Run } from "./run.ts";

export function MetricsList({ run }: { run: Run }) {
  const metrics = metricsOf(run.metrics);
  if (metrics.length === 0) return null;
  return (
    <dl class="run-metrics" aria-label="Metrics">
      {metrics.map(({ label, value }) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
