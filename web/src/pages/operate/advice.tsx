import { api, must, type Schemas } from "../../api/client.ts";
import { useData } from "../../api/use-data.ts";
import { Badge } from "../../ui/badge.tsx";
import { Code } from "../../ui/code.tsx";
import { count, counted, duration, money } from "../../ui/quantities.ts";
import { Empty, Failure, Loading } from "../../ui/states.tsx";
import { Table, type Column } from "../../ui/table.tsx";
import { settingText } from "./setting-text.ts";
import "./settings.css";

type Result = Schemas["Advice"]["results"][number];
type Variant = Schemas["AdviceVariant"];

const columns: readonly Column<Variant>[] = [
  {
    head: "Instances, idle timeout",
    cell: (variant) => (
      <span class="row">
        {settingText(variant)}
        {variant.is_now && <Badge>Now</Badge>}
        {variant.is_best && <Badge tone="good">Best</Badge>}
      </span>
    ),
  },
  { head: "Mean wait", isNumber: true, value: (v) => v.wait_seconds.mean, cell: (v) => duration(v.wait_seconds.mean) },
  { head: "95 % wait less than", isNumber: true, isMinor: true, value: (v) => v.wait_seconds.p95, cell: (v) => duration(v.wait_seconds.p95) },
  { head: "Longest", isNumber: true, isMinor: true, value: (v) => v.wait_seconds.max, cell: (v) => duration(v.wait_seconds.max) },
  { head: "Loads", isNumber: true, value: (v) => v.loads, cell: (v) => count(v.loads) },
  {
    head: "Hours a month",
    isNumber: true,
    value: (v) => v.instance_hours_a_month,
    cell: (v) => v.instance_hours_a_month.toLocaleString("en", { maximumFractionDigits: 1 }),
  },
  { head: "Cost a month", isNumber: true, value: (v) => v.cost_a_month, cell: (v) => (v.cost_a_month === null ? "–" : money(String(v.cost_a_month))) },
];

const hrefOf = (result: Result) => (result.kind === "deployment" ? `/deployments/${result.name}` : `/${result.name}/settings`);

function About({ result }: { result: Result }) {
  const id = `advice-${result.kind}-${result.name}`;
  return (
    <section class="stack advice" aria-labelledby={id}>
      <h2 id={id}>
        <a href={hrefOf(result)}>{result.name}</a>
        {result.kind === "deployment" && <span class="muted small"> deployment</span>}
      </h2>
      <p class="muted">
        {counted(result.requests, "request", "requests")} in {duration(result.hours * 3600)} on {result.hardware}. A run takes{" "}
        {duration(result.run_seconds)}, a load {duration(result.load_seconds)}
        {result.load_is_measured ? "" : " (assumed)"}. They waited {duration(result.measured_wait_seconds)} on average.
      </p>
      <div class="advice-said">{result.recommendation.map((sentence, i) => <p key={i}>{sentence.startsWith("vend ") ? <code>{sentence}</code> : sentence}</p>)}</div>
      <Table label={`Settings that were tried for ${result.name}`} columns={columns} rows={result.variants} keyOf={settingText} />
    </section>
  );
}

/** The requests of the account under other settings, simulated by the server as `vend advise` does. */
export function Advice(_: { query: URLSearchParams }) {
  const loaded = useData(() => must(api.GET("/v1/advice")), []);
  const { data, error } = loaded;
  if (data === null) {
    return error === null ? (
      <>
        <p class="muted" role="status">The requests of the last 30 days are replayed under other settings. This takes up to a minute.</p>
        <Loading rows={6} label="Replaying the history" />
      </>
    ) : (
      <Failure message={error.message} onRetry={loaded.reload} />
    );
  }
  if (data.results.length === 0) {
    return (
      <Empty title="No advice yet">
        <p>Advice comes from requests of at least an hour. Run a model, and come back later.</p>
      </Empty>
    );
  }
  return (
    <div class="stack">
      <p>
        The requests of your account in the last 30 days, replayed with other settings by the scheduler's own decisions. Best is the least cost, where a
        second of waiting counts as {count(data.wait_weight)} seconds of an instance.
      </p>
      {!data.complete && <p class="muted small">Only the newest 200,000 requests were replayed.</p>}
      {data.results.map((result) => (
        <About key={`${result.kind} ${result.name}`} result={result} />
      ))}
      <section class="stack advice" aria-labelledby="advice-own">
        <h2 id="advice-own">Own hardware or rented</h2>
        <p class="muted">The command reckons with the price of a machine, its power, another weight of waiting and other accounts.</p>
        <Code label="The command of the advice" text="vend advise --hardware-cost 2000 --months 36 --power-watts 300 --kwh-price 0.30" />
      </section>
    </div>
  );
}
