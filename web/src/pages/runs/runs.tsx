import type { PageProps } from "../../app.tsx";
import { setQuery } from "../../router.ts";
import { RunStatus } from "../../run/run-status.tsx";
import { LongTable, type LongColumn } from "../../ui/long-table.tsx";
import { counted, duration, shortId } from "../../ui/quantities.ts";
import { Empty, Failure, Pending } from "../../ui/states.tsx";
import { Time } from "../../ui/time.tsx";
import { filterNames, filterOf } from "./filter.ts";
import { Filters } from "./filters.tsx";
import type { RunRow } from "./run-list.ts";
import { useRuns, type Kind } from "./use-runs.ts";
import "./runs.css";

/** Pages are asked for while this many loaded rows are still below the view. */
const AHEAD = 60;

const columns: readonly LongColumn<RunRow>[] = [
  { head: "Status", class: "runs-status", cell: (row) => <RunStatus status={row.status} /> },
  {
    head: "Run",
    class: "runs-id",
    cell: (row) => (
      <a class="long-link mono" href={`/p/${row.id}`}>
        {row.id}
      </a>
    ),
  },
  {
    head: "Model and version",
    class: "runs-model",
    cell: (row) => (
      <>
        <a href={`/${row.model}`}>{row.model}</a> <span class="muted mono">{shortId(row.version)}</span>
        {row.deployment !== null && <span class="muted small"> by {row.deployment}</span>}
      </>
    ),
  },
  { head: "Source", class: "runs-source", cell: (row) => (row.source === "web" ? "web page" : "API") },
  { head: "Created", class: "runs-created", cell: (row) => <Time at={row.createdAt} /> },
  { head: "Ran", class: "runs-ran", cell: (row) => (row.ran === null ? "–" : duration(row.ran)) },
  { head: "In all", class: "runs-total", cell: (row) => (row.total === null ? "–" : duration(row.total)) },
];

const names = {
  predictions: { title: "Predictions", one: "prediction", many: "predictions" },
  trainings: { title: "Trainings", one: "training", many: "trainings" },
};

function NoRuns({ kind, isFiltered }: { kind: Kind; isFiltered: boolean }) {
  if (isFiltered) {
    return (
      <Empty title={`No ${names[kind].many} match`}>
        <button
          type="button"
          class="button"
          onClick={() => setQuery(Object.fromEntries(filterNames.map((name) => [name, null])))}
        >
          Remove the filters
        </button>
      </Empty>
    );
  }
  return (
    <Empty title={`No ${names[kind].many} yet`}>
      <p>
        <a href="/explore">Choose a model</a> and {kind === "predictions" ? "run it" : "train it"}.
      </p>
    </Empty>
  );
}

function Runs({ kind, query }: { kind: Kind; query: URLSearchParams }) {
  const filter = filterOf(kind, query);
  const runs = useRuns(kind, filter);
  const { list } = runs;
  const rows = list?.rows ?? [];
  const { title, one, many } = names[kind];

  return (
    <div class="stack">
      <h1>{title}</h1>
      <div class="runs-bar">
        <Filters kind={kind} query={query} rows={rows} />
      </div>
      {list === null ? (
        <Pending loaded={runs} rows={8} />
      ) : (
        <>
          <p class="muted small" role="status" hidden={list.rows.length === 0}>
            {`${counted(rows.length, one, many)}${list.cursor === null ? "." : " loaded; more as you scroll."}`}
          </p>
          {list.newCount > 0 && (
            <div class="runs-new">
              <button type="button" class="button button-primary" onClick={runs.showNew}>
                Show {counted(list.newCount, "new one", "new ones")}
              </button>
            </div>
          )}
          {rows.length === 0 ? (
            <NoRuns kind={kind} isFiltered={Object.keys(filter).length > 0} />
          ) : (
            <LongTable
              label={title}
              class="runs-table"
              columns={columns}
              rows={rows}
              keyOf={(row) => row.id}
              hasMore={list.cursor !== null}
              scrollTo={runs.startTop}
              onScroll={runs.onScroll}
              onRange={({ from, to }) => {
                runs.onView(rows.slice(from, to));
                if (to > rows.length - AHEAD && !runs.isLoading && runs.moreError === null) void runs.loadMore();
              }}
            />
          )}
          {runs.moreError !== null && <Failure message={runs.moreError.message} onRetry={() => void runs.loadMore()} />}
        </>
      )}
    </div>
  );
}

export const Predictions = ({ query }: PageProps) => <Runs kind="predictions" query={query} />;
export const Trainings = ({ query }: PageProps) => <Runs kind="trainings" query={query} />;
