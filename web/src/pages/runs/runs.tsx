import { useMemo } from "preact/hooks";
import type { PageProps } from "../../app.tsx";
import { setQuery } from "../../router.ts";
import { RunStatus } from "../../ui/badge.tsx";
import { LongTable, type LongColumn } from "../../ui/long-table.tsx";
import { counted, duration, shortId } from "../../ui/quantities.ts";
import { Empty, Failure, Pending } from "../../ui/states.tsx";
import { Time } from "../../ui/time.tsx";
import { filterRows, LoadedFilters, ServerFilters } from "./filters.tsx";
import type { RunRow } from "./run-list.ts";
import { useRuns, type Filter, type Kind } from "./use-runs.ts";
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

function filterOf(kind: Kind, query: URLSearchParams): Filter {
  if (kind === "trainings") return {};
  const filter: Filter = {};
  if (query.get("source") === "web") filter.source = "web";
  const time = (name: string) => {
    const at = new Date(`${query.get(name) ?? ""}T00:00`);
    return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
  };
  const [after, before] = [time("after"), time("before")];
  if (after !== undefined) filter.created_after = after;
  if (before !== undefined) filter.created_before = before;
  return filter;
}

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
          onClick={() => setQuery({ source: null, after: null, before: null, status: null, model: null })}
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
  const isNarrowed = query.get("status") !== null || (query.get("model") ?? "") !== "";
  const rows = useMemo(() => (list === null ? [] : filterRows(list.rows, query)), [list?.rows, query]);
  const { title, one, many } = names[kind];

  return (
    <div class="stack">
      <h1>{title}</h1>
      <div class="runs-bar">
        {kind === "predictions" && <ServerFilters query={query} />}
        <LoadedFilters query={query} />
      </div>
      {list === null ? (
        <Pending loaded={runs} rows={8} />
      ) : (
        <>
          <p class="muted small" role="status" hidden={list.rows.length === 0}>
            {isNarrowed
              ? `${counted(rows.length, one, many)} of the ${list.rows.length.toLocaleString("en")} loaded.`
              : `${counted(rows.length, one, many)}${list.cursor === null ? "." : " loaded; more as you scroll."}`}
          </p>
          {list.newCount > 0 && (
            <div class="runs-new">
              <button type="button" class="button button-primary" onClick={runs.showNew}>
                Show {counted(list.newCount, "new one", "new ones")}
              </button>
            </div>
          )}
          {rows.length === 0 ? (
            <NoRuns kind={kind} isFiltered={isNarrowed || Object.keys(filter).length > 0} />
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
                if (!isNarrowed && to > rows.length - AHEAD && !runs.isLoading && runs.moreError === null) void runs.loadMore();
              }}
            />
          )}
          {runs.moreError !== null && <Failure message={runs.moreError.message} onRetry={() => void runs.loadMore()} />}
          {isNarrowed && list.cursor !== null && (
            <button type="button" class="button" disabled={runs.isLoading} onClick={() => void runs.loadMore()}>
              Load more {many} and look in them
            </button>
          )}
        </>
      )}
    </div>
  );
}

export const Predictions = ({ query }: PageProps) => <Runs kind="predictions" query={query} />;
export const Trainings = ({ query }: PageProps) => <Runs kind="trainings" query={query} />;
