import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { api, ApiError, must } from "../../api/client.ts";
import { cursorOf } from "../../api/pages.ts";
import type { operations } from "../../api/schema.d.ts";
import { useData } from "../../api/use-data.ts";
import * as runs from "./run-list.ts";

const REFRESH_MS = 3000;
/** Runs beyond the first page are asked for one by one; a view has no more of them that still run. */
const MOST_SINGLE = 10;
/** Above this the reader looks at the newest runs. */
const TOP_PX = 200;

export type Kind = "predictions" | "trainings";

/** Trainings have no deployment. */
export type Filter = Omit<NonNullable<operations["predictions.list"]["parameters"]["query"]>, "cursor">;

async function readPage(kind: Kind, filter: Filter, cursor: string | null): Promise<runs.Page> {
  const at = cursor === null ? {} : { cursor };
  const page =
    kind === "predictions"
      ? await must(api.GET("/v1/predictions", { params: { query: { ...filter, ...at } } }))
      : await must(api.GET("/v1/trainings", { params: { query: { ...filter, ...at } } }));
  return { rows: page.results.map(runs.toRow), cursor: cursorOf(page.next) };
}

async function readRun(kind: Kind, id: string): Promise<runs.RunRow> {
  const params = { path: { id } };
  return runs.toRow(
    kind === "predictions"
      ? await must(api.GET("/v1/predictions/{id}", { params }))
      : await must(api.GET("/v1/trainings/{id}", { params })),
  );
}

/** The list that was left last, for the way back. */
let left: { key: string; list: runs.RunList; top: number } | null = null;

function comeBack(key: string): typeof left {
  const isBack = (history.state as { list?: string } | null)?.list === key;
  return isBack && left?.key === key ? left : null;
}

export function useRuns(kind: Kind, filter: Filter) {
  const key = JSON.stringify([kind, filter]);
  const [back] = useState(() => comeBack(key));
  const [list, setList] = useState<runs.RunList | null>(back?.list ?? null);
  const [isLoading, setLoading] = useState(false);
  const [moreError, setMoreError] = useState<ApiError | null>(null);
  const first = useData(() => readPage(kind, filter, null), [key], { everyMs: REFRESH_MS });
  const top = useRef(back?.top ?? 0);
  const shown = useRef(list);
  shown.current = list;
  const current = useRef(key);
  const inView = useRef<readonly runs.RunRow[]>([]);

  useEffect(() => {
    if (current.current !== key) setList(null);
    current.current = key;
    setMoreError(null);
    history.replaceState({ ...(history.state as object | null), list: key }, "");
    return () => {
      if (shown.current !== null) left = { key, list: shown.current, top: top.current };
    };
  }, [key]);

  useEffect(() => {
    const page = first.data;
    if (page === null) return;
    setMoreError(null);
    setList((now) => {
      if (now === null) return runs.listOf(page);
      const held = runs.hold(now, page);
      return window.scrollY < TOP_PX ? runs.release(held) : held;
    });
    const fresh = new Set(page.rows.map((row) => row.id));
    const alone = inView.current.filter((row) => !runs.isEnded(row) && !fresh.has(row.id)).slice(0, MOST_SINGLE);
    void Promise.allSettled(alone.map((row) => readRun(kind, row.id))).then((results) => {
      const read = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
      if (read.length > 0) setList((now) => (now === null ? now : runs.update(now, read)));
    });
  }, [first.data]);

  const loadMore = useCallback(async () => {
    const cursor = shown.current?.cursor ?? null;
    if (cursor === null) return;
    setLoading(true);
    setMoreError(null);
    try {
      const page = await readPage(kind, filter, cursor);
      // The list may have begun anew meanwhile.
      setList((now) => (now !== null && now.cursor === cursor && current.current === key ? runs.append(now, page) : now));
    } catch (thrown) {
      setMoreError(thrown instanceof ApiError ? thrown : new ApiError(0, String(thrown)));
    } finally {
      setLoading(false);
    }
  }, [key]);

  return {
    list,
    error: first.error,
    reload: first.reload,
    isLoading,
    moreError,
    loadMore,
    showNew: () => {
      window.scrollTo(0, 0);
      setList((now) => (now === null ? now : runs.release(now)));
    },
    startTop: back?.top,
    onScroll: (at: number) => void (top.current = at),
    onView: (rows: readonly runs.RunRow[]) => void (inView.current = rows),
  };
}
