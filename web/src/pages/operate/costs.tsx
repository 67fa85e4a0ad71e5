import { useMemo } from "preact/hooks";
import { api, must } from "../../api/client.ts";
import { useData } from "../../api/use-data.ts";
import { Chart } from "../../ui/chart.tsx";
import { Meter } from "../../ui/meter.tsx";
import { count, duration, money } from "../../ui/quantities.ts";
import { Pending } from "../../ui/states.tsx";
import { Table } from "../../ui/table.tsx";
import type { Asked } from "./charts.tsx";
import { utilisation, type Line } from "./series.ts";

/** Each takes a request. */
const MOST_ACCOUNTS = 50;
const DAY_S = 86_400;

function percent(share: number | null): string {
  if (share === null) return "–";
  if (share > 0 && share < 0.001) return "< 0.1 %";
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}

const nameOf = (line: Line) => line.deployment ?? line.model ?? "a deleted model";
const instanceTime = (line: Line) => (line.setup_us + line.idle_us + line.active_us) / 1e6;
const amountOf = (amount: string | null) => (amount === null ? null : Number(amount));

function Share({ label, part, whole }: { label: string; part: number | null; whole: number }) {
  return part === null ? <>–</> : <Meter label={label} used={part} of={whole} />;
}

function ByModel({ asked }: { asked: Asked }) {
  const query = { from: asked.since, ...(asked.account !== undefined && { account: asked.account }) };
  const loaded = useData(() => must(api.GET("/v1/usage/statement", { params: { query } })), [asked.since, asked.account]);
  const lines = loaded.data?.lines;
  if (lines === undefined) return <Pending loaded={loaded} rows={3} />;
  if (lines.length === 0) return <p class="muted">This account used nothing in this time.</p>;
  const most = Math.max(...lines.map((line) => amountOf(line.amount) ?? 0));
  return (
    <Table
      label="Utilisation and cost by model"
      columns={[
        { head: "Model or deployment", value: nameOf, cell: nameOf },
        { head: "Hardware", isMinor: true, value: (line) => line.hardware, cell: (line) => line.hardware },
        { head: "Runs", isNumber: true, value: (line) => line.predictions, cell: (line) => count(line.predictions) },
        { head: "Time of instances", isNumber: true, value: instanceTime, cell: (line) => duration(instanceTime(line)) },
        { head: "Utilisation", isNumber: true, value: utilisation, cell: (line) => percent(utilisation(line)) },
        { head: "Cost", isNumber: true, value: (line) => amountOf(line.amount), cell: (line) => money(line.amount) },
        { head: "Share of the largest", isMinor: true, cell: (line) => <Share label={`Cost of ${nameOf(line)}`} part={amountOf(line.amount)} whole={most} /> },
      ]}
      rows={lines}
      keyOf={(line) => `${nameOf(line)} ${line.hardware} ${line.price}`}
    />
  );
}

function ByAccount({ since, accounts }: { since: string; accounts: readonly string[] }) {
  const asked = accounts.slice(0, MOST_ACCOUNTS);
  const loaded = useData(
    () =>
      Promise.all(
        asked.map(async (account) => {
          const { total } = await must(api.GET("/v1/usage/statement", { params: { query: { from: since, account } } }));
          return { account, runs: total.predictions, amount: total.amount };
        }),
      ),
    [since, asked.join(" ")],
  );
  if (loaded.data === null) return <Pending loaded={loaded} rows={3} />;
  const most = Math.max(0, ...loaded.data.map((row) => amountOf(row.amount) ?? 0));
  return (
    <>
      <Table
        label="Cost by account"
        columns={[
          { head: "Account", value: (row) => row.account, cell: (row) => <a href={`/account/usage?account=${encodeURIComponent(row.account)}`}>{row.account}</a> },
          { head: "Runs", isNumber: true, value: (row) => row.runs, cell: (row) => count(row.runs) },
          { head: "Cost", isNumber: true, value: (row) => amountOf(row.amount), cell: (row) => money(row.amount) },
          { head: "Share of the largest", isMinor: true, cell: (row) => <Share label={`Cost of ${row.account}`} part={amountOf(row.amount)} whole={most} /> },
        ]}
        rows={loaded.data}
        keyOf={(row) => row.account}
      />
      {accounts.length > MOST_ACCOUNTS && <p class="muted small">The first {MOST_ACCOUNTS} accounts are shown.</p>}
    </>
  );
}

function ByDay({ asked: { span, since, account } }: { asked: Asked }) {
  const query = { from: since, group_by: "day" as const, ...(account !== undefined && { account }) };
  const loaded = useData(() => must(api.GET("/v1/usage", { params: { query } })), [since, account]);
  const days = useMemo(() => {
    if (loaded.data === null) return null;
    const at: number[] = [];
    for (let day = Math.floor(span.from / DAY_S) * DAY_S; day <= span.to; day += DAY_S) at.push(day);
    const values = at.map(() => 0);
    for (const { day, amount } of loaded.data.results) {
      const i = at.indexOf(Date.parse(`${day}T00:00:00Z`) / 1000);
      if (i >= 0) values[i] = (values[i] ?? 0) + Number(amount ?? 0);
    }
    return { at, series: [{ name: "cost of runs", values, isBars: true }] };
  }, [loaded.data]);
  if (days === null) return <Pending loaded={loaded} rows={3} />;
  return (
    <Chart
      title="Cost of runs by day"
      at={days.at}
      series={days.series}
      format={(value) => money(String(value))}
      note="Runs that are billed by their own time. Instances that are billed by theirs are in the tables."
    />
  );
}

export function CostCharts({ asked, accounts }: { asked: Asked; accounts: readonly string[] }) {
  return (
    <>
      <section class="stack" aria-labelledby="by-model">
        <h2 id="by-model">Utilisation and cost by model</h2>
        <ByModel asked={asked} />
      </section>
      <section class="stack" aria-labelledby="by-account">
        <h2 id="by-account">Cost by account</h2>
        <ByAccount since={asked.since} accounts={accounts} />
      </section>
      {asked.span.to - asked.span.from > 2 * DAY_S && (
        <div class="card">
          <ByDay asked={asked} />
        </div>
      )}
    </>
  );
}
