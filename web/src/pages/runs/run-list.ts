/**
 * The rows of a list of runs: pages that were loaded as one scrolled, and a first page that is read
 * again. Pure. Rows hold what the table shows, since inputs and outputs of 100,000 runs are large.
 */
import type { Schemas } from "../../api/client.ts";

export type Run = Schemas["Prediction"] | Schemas["Training"];

export interface RunRow {
  id: string;
  model: string;
  version: string;
  deployment: string | null;
  status: Run["status"];
  source: string;
  createdAt: string;
  /** Seconds from the creation to the end; null before the end. */
  total: number | null;
  /** Seconds that the model ran. */
  ran: number | null;
  error: string | null;
}

export interface Page {
  rows: readonly RunRow[];
  /** Null behind the last page. */
  cursor: string | null;
}

export interface RunList extends Page {
  /** Runs that are newer than the first row, and not shown yet. */
  held: Page | null;
  newCount: number;
}

export const isEnded = (row: RunRow): boolean => row.status !== "starting" && row.status !== "processing";

export function toRow(run: Run): RunRow {
  const metric = (name: string): number | null => {
    const value = run.metrics[name];
    return typeof value === "number" ? value : null;
  };
  const ended = run.completed_at ?? null;
  return {
    id: run.id,
    model: run.model,
    version: run.version,
    deployment: ("deployment" in run ? run.deployment : null) ?? null,
    status: run.status,
    source: run.source,
    createdAt: run.created_at,
    total: ended === null ? null : Math.max(0, (Date.parse(ended) - Date.parse(run.created_at)) / 1000),
    ran: metric("predict_time"),
    error: run.error,
  };
}

export const listOf = (page: Page): RunList => ({ ...page, held: null, newCount: 0 });

/** The list with the page behind its last row. A row that moved between two pages is shown once. */
export function append(list: RunList, page: Page): RunList {
  const known = new Set(list.rows.map((row) => row.id));
  const more = page.rows.filter((row) => !known.has(row.id));
  return { ...list, rows: [...list.rows, ...more], cursor: page.cursor };
}

/** The list with newer states of some of its rows; their places stay. */
export function update(list: RunList, fresh: readonly RunRow[]): RunList {
  const byId = new Map(fresh.map((row) => [row.id, row]));
  let hasChanged = false;
  const rows = list.rows.map((row) => {
    const now = byId.get(row.id);
    if (now === undefined || (now.status === row.status && now.total === row.total)) return row;
    hasChanged = true;
    return now;
  });
  return hasChanged ? { ...list, rows } : list;
}

/** Holds what is new in a first page until it is shown, so that rows do not move under the reader. */
export function hold(list: RunList, first: Page): RunList {
  const updated = update(list, first.rows);
  const known = new Set(list.rows.map((row) => row.id));
  const newCount = first.rows.filter((row) => !known.has(row.id)).length;
  return newCount === 0 ? { ...updated, held: null, newCount: 0 } : { ...updated, held: first, newCount };
}

/** Shows what was held. Behind a first page that is all new there may be others: the list begins anew. */
export function release(list: RunList): RunList {
  if (list.held === null) return list;
  const first = list.held;
  const known = new Set(list.rows.map((row) => row.id));
  const isJoined = list.rows.length === 0 || first.rows.some((row) => known.has(row.id)) || first.cursor === null;
  if (!isJoined) return listOf(first);
  const added = first.rows.filter((row) => !known.has(row.id));
  const cursor = list.rows.length === 0 ? first.cursor : list.cursor;
  return { rows: [...added, ...list.rows], cursor, held: null, newCount: 0 };
}
