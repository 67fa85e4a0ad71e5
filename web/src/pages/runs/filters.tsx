import { setQuery } from "../../router.ts";
import type { RunRow } from "./run-list.ts";

const statuses: readonly RunRow["status"][] = ["starting", "processing", "succeeded", "failed", "canceled", "aborted"];

/** Filters of the server: the whole list is asked for by them. */
export function ServerFilters({ query }: { query: URLSearchParams }) {
  return (
    <fieldset class="runs-filters">
      <legend class="visually-hidden">Filters</legend>
      <label>
        From
        <input type="date" value={query.get("after") ?? ""} onChange={(e) => setQuery({ after: e.currentTarget.value })} />
      </label>
      <label>
        Before
        <input type="date" value={query.get("before") ?? ""} onChange={(e) => setQuery({ before: e.currentTarget.value })} />
      </label>
      <label class="runs-check">
        <input
          type="checkbox"
          checked={query.get("source") === "web"}
          onChange={(e) => setQuery({ source: e.currentTarget.checked ? "web" : null })}
        />
        Only from the web page
      </label>
    </fieldset>
  );
}

/** Filters of the page: only rows that were loaded are looked at. */
export function LoadedFilters({ query }: { query: URLSearchParams }) {
  return (
    <fieldset class="runs-filters">
      <legend class="visually-hidden">Filters of the loaded rows</legend>
      <label>
        Status, in loaded rows
        <select value={query.get("status") ?? ""} onChange={(e) => setQuery({ status: e.currentTarget.value })}>
          <option value="">any</option>
          {statuses.map((status) => (
            <option key={status}>{status}</option>
          ))}
        </select>
      </label>
      <label>
        Model, in loaded rows
        <input
          type="search"
          placeholder="owner/name"
          value={query.get("model") ?? ""}
          onInput={(e) => setQuery({ model: e.currentTarget.value })}
        />
      </label>
    </fieldset>
  );
}

/** The loaded rows that the page's own filters leave. */
export function filterRows(rows: readonly RunRow[], query: URLSearchParams): readonly RunRow[] {
  const status = query.get("status");
  const model = query.get("model")?.trim().toLowerCase() ?? "";
  if (status === null && model === "") return rows;
  return rows.filter(
    (row) =>
      (status === null || row.status === status) &&
      (row.model.toLowerCase().includes(model) || (row.deployment ?? "").toLowerCase().includes(model)),
  );
}
