import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "./client.ts";

export interface Loaded<Data> {
  data: Data | null;
  error: ApiError | null;
  isLoading: boolean;
  reload: () => void;
}

const RETRY_MS = 2000;

/**
 * What `load` returns, loaded again when a key changes, every `everyMs` while the page is looked at,
 * and after an outage. Data stays while it is loaded again, so that nothing jumps; with `keepsData`
 * also while that of another key is loaded.
 */
export function useData<Data>(
  load: () => Promise<Data>,
  keys: readonly unknown[],
  { everyMs = 0, keepsData = false } = {},
): Loaded<Data> {
  const [state, setState] = useState<Omit<Loaded<Data>, "reload">>({ data: null, error: null, isLoading: true });
  const [round, setRound] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  const reload = useCallback(() => setRound((n) => n + 1), []);

  useEffect(() => {
    setState((before) => ({ data: keepsData ? before.data : null, error: null, isLoading: true }));
  }, keys);

  useEffect(() => {
    let isCurrent = true;
    let timer = 0;
    const again = (ms: number) => {
      timer = window.setTimeout(() => (document.hidden ? again(ms) : void run()), ms);
    };
    const run = async () => {
      try {
        const data = await latest.current();
        if (!isCurrent) return;
        setState({ data, error: null, isLoading: false });
        if (everyMs > 0) again(everyMs);
      } catch (thrown) {
        if (!isCurrent) return;
        const error = thrown instanceof ApiError ? thrown : new ApiError(0, String(thrown));
        setState((before) => ({ data: before.data, error, isLoading: false }));
        if (error.status === 0 || error.status >= 500) again(RETRY_MS);
      }
    };
    void run();
    return () => {
      isCurrent = false;
      window.clearTimeout(timer);
    };
  }, [...keys, round, everyMs]);

  return { ...state, reload };
}
