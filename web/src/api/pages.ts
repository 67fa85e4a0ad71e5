/** Lists that are read by pages, and whose first page is read again. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "./client.ts";
import { useData } from "./use-data.ts";

export interface ApiPage<Row> {
  results: Row[];
  next?: string | null;
}

/** The cursor of a page's `next` URL. */
export function cursorOf(next: string | null | undefined): string | null {
  return next == null ? null : new URL(next).searchParams.get("cursor");
}

/** The rows behind the first page that still follow on a newer first page; null when rows lie between them. */
export function following<Row>(
  old: readonly Row[],
  first: readonly Row[],
  keyOf: (row: Row) => string | number,
): readonly Row[] | null {
  const last = first.at(-1);
  if (last === undefined) return null;
  const at = old.findIndex((row) => keyOf(row) === keyOf(last));
  return at < 0 ? null : old.slice(at + 1);
}

interface State<Row> {
  rows: readonly Row[];
  cursor: string | null;
}

export function usePages<Row>(
  load: (at: { cursor?: string }) => Promise<ApiPage<Row>>,
  keyOf: (row: Row) => string | number,
  keys: readonly unknown[],
  options: { everyMs?: number } = {},
) {
  const first = useData(() => load({}), keys, options);
  const [list, setList] = useState<State<Row> | null>(null);
  const [isLoadingMore, setLoading] = useState(false);
  const [moreError, setMoreError] = useState<ApiError | null>(null);
  const shown = useRef(list);
  shown.current = list;

  useEffect(() => setList(null), keys);
  useEffect(() => {
    const page = first.data;
    if (page === null) return;
    setList((now) => {
      const rest = now === null ? null : following(now.rows, page.results, keyOf);
      if (now === null || rest === null || rest.length === 0) return { rows: page.results, cursor: cursorOf(page.next) };
      return { rows: [...page.results, ...rest], cursor: now.cursor };
    });
  }, [first.data]);

  const more = useCallback(async () => {
    const cursor = shown.current?.cursor ?? null;
    if (cursor === null) return;
    setLoading(true);
    setMoreError(null);
    try {
      const page = await load({ cursor });
      setList((now) =>
        now?.cursor === cursor ? { rows: [...now.rows, ...page.results], cursor: cursorOf(page.next) } : now,
      );
    } catch (thrown) {
      setMoreError(thrown instanceof ApiError ? thrown : new ApiError(0, String(thrown)));
    } finally {
      setLoading(false);
    }
  }, keys);

  return {
    rows: list?.rows ?? null,
    error: moreError ?? first.error,
    reload: first.reload,
    hasMore: list !== null && list.cursor !== null,
    isLoadingMore,
    more: () => void more(),
  };
}
