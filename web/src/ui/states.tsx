import type { ComponentChildren } from "preact";
import type { ApiError } from "../api/client.ts";
import "./states.css";

export function Failure({ message, onRetry }: { message: string; onRetry?: (() => void) | undefined }) {
  return (
    <div class="state state-bad" role="alert">
      <p>{message}</p>
      {onRetry !== undefined && (
        <button type="button" class="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="state">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** Room for what comes, so that nothing jumps. */
export function Loading({ rows = 3, label = "Loading" }: { rows?: number; label?: string }) {
  return (
    <div class="loading" role="status" aria-label={label}>
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} class="loading-row" />
      ))}
    </div>
  );
}

/** What stands in place of data: the wait for them, or the reason that there are none. */
export function Pending({ loaded, rows }: { loaded: { error: ApiError | null; reload: () => void }; rows?: number }) {
  return loaded.error !== null ? (
    <Failure message={loaded.error.message} onRetry={loaded.reload} />
  ) : (
    <Loading rows={rows ?? 3} />
  );
}
