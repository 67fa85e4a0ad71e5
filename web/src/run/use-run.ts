import { useCallback, useEffect, useState } from "preact/hooks";
import { ApiError } from "../api/client.ts";
import { cancelRun, follow } from "./follow.ts";
import { isLive, type Run } from "./run.ts";

export interface LiveRun {
  run: Run | null;
  /** Pieces of the output that came ahead of the state. */
  pieces: readonly string[];
  /** Why it cannot be followed or canceled. */
  error: string | null;
  isCanceling: boolean;
  show: (run: Run | null) => void;
  cancel: () => void;
}

/** A run that is shown, and followed while it is live. */
export function useRun(isStreamed: boolean, first: Run | null): LiveRun {
  const [run, setRun] = useState<Run | null>(first);
  const [pieces, setPieces] = useState<readonly string[]>([]);
  const [error, setError] = useState<string | null>(null);
  const [isCanceling, setCanceling] = useState(false);

  const show = useCallback((next: Run | null) => {
    setPieces([]);
    setError(null);
    setCanceling(false);
    setRun(next);
  }, []);

  const id = run?.id;
  useEffect(() => {
    if (run === null || !isLive(run)) return;
    return follow(run, isStreamed, {
      onRun: setRun,
      onPieces: setPieces,
      onError: (thrown) => setError(thrown.message),
    });
  }, [id, isStreamed]);

  const cancel = () => {
    if (run === null || !isLive(run) || isCanceling) return;
    setCanceling(true);
    cancelRun(run).then(
      (canceled) => setRun((now) => (now?.id === canceled.id && isLive(now) ? canceled : now)),
      (thrown) => {
        setCanceling(false);
        setError(thrown instanceof ApiError ? thrown.message : String(thrown));
      },
    );
  };
  return { run, pieces, error, isCanceling: isCanceling && run !== null && isLive(run), show, cancel };
}
