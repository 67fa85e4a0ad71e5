import { useMemo } from "preact/hooks";
import { api, must, type Schemas } from "../../api/client.ts";
import { cursorOf, type ApiPage } from "../../api/pages.ts";
import { useData } from "../../api/use-data.ts";
import { setQuery } from "../../router.ts";
import { Chart } from "../../ui/chart.tsx";
import { Field } from "../../ui/field.tsx";
import { count, duration } from "../../ui/quantities.ts";
import { Failure, Pending } from "../../ui/states.tsx";
import { CostCharts } from "./costs.tsx";
import { bootsOf, waitsOf, type Span } from "./series.ts";
import "./charts.css";

const spans = [
  { id: "hour", label: "Last hour", seconds: 3600 },
  { id: "day", label: "Last day", seconds: 86_400 },
  { id: "week", label: "Last 7 days", seconds: 7 * 86_400 },
  { id: "month", label: "Last 30 days", seconds: 30 * 86_400 },
] as const;

const REFRESH_MS = 30_000;
/** Of 100 decisions each. */
const MOST_PAGES = 20;

export interface Asked {
  span: Span;
  since: string;
  account: string | undefined;
}

async function readDecisions(since: string): Promise<{ rows: Schemas["Decision"][]; isComplete: boolean }> {
  const rows: Schemas["Decision"][] = [];
  let cursor: string | null = null;
  for (let i = 0; i < MOST_PAGES; i++) {
    const at: { cursor?: string } = cursor === null ? {} : { cursor };
    const page: ApiPage<Schemas["Decision"]> = await must(api.GET("/v1/decisions", { params: { query: { since, ...at } } }));
    rows.push(...page.results);
    cursor = cursorOf(page.next);
    if (cursor === null) return { rows, isComplete: true };
  }
  return { rows, isComplete: false };
}

function Waits({ asked: { since, span, account } }: { asked: Asked }) {
  const who = account === undefined ? {} : { account };
  const loaded = useData(() => must(api.GET("/v1/history", { params: { query: { since, ...who } } })), [since, account]);
  const waits = useMemo(() => (loaded.data === null ? null : waitsOf(loaded.data, span)), [loaded.data]);
  const series = useMemo(
    () =>
      waits && [
        { name: "median", values: waits.median },
        { name: "95th percentile", values: waits.p95 },
      ],
    [waits],
  );
  const requests = useMemo(() => waits && [{ name: "requests", values: waits.requests, isBars: true }], [waits]);
  if (waits === null || series === null || requests === null) return <Pending loaded={loaded} rows={4} />;
  const note = loaded.data?.complete === false ? "Only the newest 200,000 requests are counted." : undefined;
  return (
    <>
      <div class="card">
        <Chart title="Wait in the queue" at={waits.buckets.at} series={series} format={duration} note={note} />
      </div>
      <div class="card">
        <Chart title="Requests" at={waits.buckets.at} series={requests} format={count} />
      </div>
    </>
  );
}

function Boots({ asked: { since, span } }: { asked: Asked }) {
  const loaded = useData(() => readDecisions(since), [since]);
  const boots = useMemo(() => (loaded.data === null ? null : bootsOf(loaded.data.rows, span)), [loaded.data]);
  const counts = useMemo(() => boots && [{ name: "cold starts", values: boots.count, isBars: true }], [boots]);
  const times = useMemo(() => boots && [{ name: "mean", values: boots.mean }], [boots]);
  if (boots === null || counts === null || times === null) return <Pending loaded={loaded} rows={4} />;
  const note = loaded.data?.isComplete
    ? "Of all accounts, from the decisions that the server keeps."
    : "Only the newest 2,000 decisions are counted.";
  return (
    <>
      <div class="card">
        <Chart title="Cold starts" at={boots.buckets.at} series={counts} format={count} note={note} />
      </div>
      <div class="card">
        <Chart title="Boot time" at={boots.buckets.at} series={times} format={duration} />
      </div>
    </>
  );
}

export function Charts({ query }: { query: URLSearchParams }) {
  const chosen = spans.find((span) => span.id === query.get("time")) ?? spans[1];
  const account = query.get("account") ?? undefined;
  const accounts = useData(() => must(api.GET("/v1/accounts")), []);
  // The end moves on with each round, and stays the same between them.
  const now = useData(() => Promise.resolve(Math.floor(Date.now() / 1000)), [chosen.id], { everyMs: REFRESH_MS });
  const asked = useMemo((): Asked | null => {
    if (now.data === null) return null;
    const span = { from: now.data - chosen.seconds, to: now.data };
    return { span, since: new Date(span.from * 1000).toISOString(), account };
  }, [now.data, chosen, account]);

  return (
    <div class="stack">
      <div class="row">
        <Field label="Time">
          <select value={chosen.id} onChange={(event) => setQuery({ time: event.currentTarget.value })}>
            {spans.map((span) => (
              <option key={span.id} value={span.id}>
                {span.label}
              </option>
            ))}
          </select>
        </Field>
        <Field label="Account">
          <select value={account ?? ""} onChange={(event) => setQuery({ account: event.currentTarget.value })}>
            <option value="">your own</option>
            {accounts.data?.results?.map(({ username }) => (
              <option key={username}>{username}</option>
            ))}
          </select>
        </Field>
      </div>
      {accounts.error !== null && <Failure message={accounts.error.message} onRetry={accounts.reload} />}
      {asked !== null && (
        <>
          <div class="charts-grid">
            <Waits asked={asked} />
            <Boots asked={asked} />
          </div>
          <CostCharts asked={asked} accounts={accounts.data?.results?.map(({ username }) => username) ?? []} />
        </>
      )}
    </div>
  );
}
