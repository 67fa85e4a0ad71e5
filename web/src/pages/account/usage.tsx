import { api, must, type Schemas } from "../../api/client.ts";
import { useData } from "../../api/use-data.ts";
import { setQuery } from "../../router.ts";
import { useSession } from "../../session.tsx";
import { Badge } from "../../ui/badge.tsx";
import { Facts, type Fact } from "../../ui/facts.tsx";
import { Field } from "../../ui/field.tsx";
import { Meter } from "../../ui/meter.tsx";
import { count, duration, money } from "../../ui/quantities.ts";
import { Empty, Pending } from "../../ui/states.tsx";
import { Table, type Column } from "../../ui/table.tsx";
import type { TabProps } from "./account.tsx";
import { boundsOf, isMonth, lastMonths, monthName, monthOf } from "./months.ts";

type Statement = Schemas["UsageStatement"];
type Line = Statement["lines"][number];
type Day = Schemas["Usage"]["results"][number];

const MONTHS = 12;

const time = (us: number) => duration(us / 1e6);
const nameOf = (line: Line) => line.deployment ?? line.model ?? "a deleted model";
const amountOf = (amount: string | null) => (amount === null ? null : Number(amount));

const columns: readonly Column<Line>[] = [
  { head: "Model or deployment", value: nameOf, cell: nameOf },
  { head: "Hardware", value: (line) => line.hardware, cell: (line) => line.hardware },
  { head: "Runs", isNumber: true, value: (line) => line.predictions, cell: (line) => count(line.predictions) },
  { head: "Run time", isNumber: true, value: (line) => line.run_us, cell: (line) => time(line.run_us) },
  { head: "Setup", isNumber: true, isMinor: true, value: (line) => line.setup_us, cell: (line) => time(line.setup_us) },
  { head: "Idle", isNumber: true, isMinor: true, value: (line) => line.idle_us, cell: (line) => time(line.idle_us) },
  { head: "Billed time", isNumber: true, value: (line) => line.billed_us, cell: (line) => time(line.billed_us) },
  { head: "Per second", isNumber: true, isMinor: true, cell: (line) => money(line.price) },
  { head: "Amount", isNumber: true, value: (line) => amountOf(line.amount), cell: (line) => money(line.amount) },
];

const dayColumns: readonly Column<Day>[] = [
  { head: "Day, UTC", value: (day) => day.day ?? "", cell: (day) => day.day },
  { head: "Hardware", value: (day) => day.hardware, cell: (day) => day.hardware },
  { head: "Runs", isNumber: true, value: (day) => day.predictions, cell: (day) => count(day.predictions) },
  { head: "Run time", isNumber: true, value: (day) => day.run_us, cell: (day) => time(day.run_us) },
  { head: "Billed run time", isNumber: true, value: (day) => day.billed_us, cell: (day) => time(day.billed_us) },
  { head: "Amount", isNumber: true, value: (day) => amountOf(day.amount), cell: (day) => money(day.amount) },
];

function Budget({ budget }: { budget: NonNullable<Statement["budget"]> }) {
  const limit = budget.hard ?? budget.soft;
  if (limit === null) return null;
  return (
    <div class="row">
      <span>
        Budget: {money(budget.spent)} of {money(limit)} spent
        {budget.hard === null && ", then a warning is logged"}
      </span>
      <Meter label="Budget spent" used={Number(budget.spent)} of={Number(limit)} />
      {budget.reached === "hard" && <Badge tone="bad">New runs are refused until the next month</Badge>}
      {budget.reached === "soft" && <Badge tone="warn">The warning was logged</Badge>}
    </div>
  );
}

function StatementOf({ month, who }: { month: string; who: { account?: string } }) {
  const loaded = useData(() => must(api.GET("/v1/usage/statement", { params: { query: { month, ...who } } })), [month, who.account]);
  const statement = loaded.data;
  if (statement === null) return <Pending loaded={loaded} rows={5} />;
  if (statement.lines.length === 0) return <Empty title={`Nothing was used in ${monthName(month)}`} />;
  const { total } = statement;
  const facts: readonly Fact[] = [
    ["Amount", money(total.amount)],
    ["Runs", count(total.predictions)],
    ["Run time", time(total.run_us)],
    ["Billed time", time(total.billed_us)],
  ];
  return (
    <>
      <Facts facts={facts} />
      {statement.budget !== null && <Budget budget={statement.budget} />}
      <h2>By model and hardware</h2>
      <Table label="Usage by model and hardware" columns={columns} rows={statement.lines} keyOf={(line) => `${nameOf(line)} ${line.hardware} ${line.price}`} />
      <p class="muted small">Runs of public models are billed by their time. Private models and deployments are billed by the time of their instances.</p>
    </>
  );
}

function Days({ month, who }: { month: string; who: { account?: string } }) {
  const query = { ...boundsOf(month), group_by: "day" as const, ...who };
  const loaded = useData(() => must(api.GET("/v1/usage", { params: { query } })), [month, who.account]);
  if (loaded.data === null) return <Pending loaded={loaded} rows={3} />;
  if (loaded.data.results.length === 0) return null;
  return (
    <>
      <h2>Runs by day</h2>
      <Table label="Runs by day" columns={dayColumns} rows={loaded.data.results} keyOf={(day) => `${day.day} ${day.hardware}`} />
    </>
  );
}

export function Usage({ username, query }: TabProps) {
  const session = useSession();
  const now = new Date();
  const asked = query.get("month") ?? "";
  const month = isMonth(asked) ? asked : monthOf(now);
  const months = lastMonths(now, MONTHS);
  const isOwn = session === null || session.username === username;
  const who: { account?: string } = isOwn ? {} : { account: username };
  const csv = new URLSearchParams({ month, format: "csv", ...(isOwn ? {} : { account: username }) } as Record<string, string>);
  return (
    <div class="stack">
      <div class="row">
        <Field label="Month, UTC">
          <select value={month} onChange={(event) => setQuery({ month: event.currentTarget.value })}>
            {!months.includes(month) && <option value={month}>{monthName(month)}</option>}
            {months.map((each) => (
              <option key={each} value={each}>
                {monthName(each)}
              </option>
            ))}
          </select>
        </Field>
        <a class="button" href={`/v1/usage/statement?${csv.toString()}`} download={`usage-${username}-${month}.csv`}>
          Download as CSV
        </a>
      </div>
      <StatementOf month={month} who={who} />
      <Days month={month} who={who} />
    </div>
  );
}
