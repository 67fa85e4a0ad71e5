import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { cameBack } from "../router.ts";
import { ApiError } from "./client.ts";

export interface PageOf<Row> {
  next: string | null;
  results: Row[];
}

export interface Pages<Row> {
  /** Null before the first page. */
  rows: readonly Row[] | null;
  error: ApiError | null;
  isLoading: boolean;
  hasMore: boolean;
  more: () => void;
  /** From the first page on. */
  reload: () => void;
}

interface State<Row> {
  rows: Row[] | null;
  next: string | null;
  error: ApiError | null;
}

/** The cursor of a `next` URL. */
export function cursorOf(next: string): string {
  return new URL(next, "http://localhost").searchParams.get("cursor") ?? "";
}

const first = { rows: null, next: null, error: null };

/** Lists as they were left. */
const left = new Map<string, State<unknown>>();

/**
 * A list that grows page by page; from the beginning when a key changes. With `keepAs` somebody who comes back finds
 * the list as it was left.
 */
export function usePages<Row>(
  load: (cursor: string | undefined) => Promise<PageOf<Row>>,
  keys: readonly unknown[],
  { keepAs }: { keepAs?: string } = {},
): Pages<Row> {
  const kept = useRef(keepAs !== undefined && cameBack() ? (left.get(keepAs) as State<Row> | undefined) : undefined);
  const [state, setState] = useState<State<Row>>(kept.current ?? first);
  const [isLoading, setLoading] = useState(false);
  const round = useRef(0);
  const latest = useRef(load);
  latest.current = load;

  const fetchPage = async (cursor: string | undefined, at: number) => {
    setLoading(true);
    try {
      const page = await latest.current(cursor);
      if (at !== round.current) return;
      setState((before) => ({
        rows: cursor === undefined ? page.results : [...(before.rows ?? []), ...page.results],
        next: page.next,
        error: null,
      }));
    } catch (thrown) {
      if (at !== round.current) return;
      const error = thrown instanceof ApiError ? thrown : new ApiError(0, String(thrown));
      setState((before) => ({ ...before, error }));
    }
    setLoading(false);
  };

  const reload = useCallback(() => void fetchPage(undefined, ++round.current), []);
  const now = useRef(state);
  now.current = state;
  useEffect(() => {
    if (keepAs === undefined) return;
    return () => {
      left.set(keepAs, now.current);
    };
  }, [keepAs]);
  useEffect(() => {
    if (kept.current?.rows === undefined || kept.current.rows === null) {
      setState(first);
      reload();
    }
    kept.current = undefined;
    return () => {
      round.current++;
    };
  }, keys);

  const more = () => {
    if (isLoading) return;
    if (state.rows === null) reload();
    else if (state.next !== null) void fetchPage(cursorOf(state.next), round.current);
  };
  return { rows: state.rows, error: state.error, isLoading, hasMore: state.next !== null, more, reload };
}
