import { useState } from "preact/hooks";
import { ApiError } from "../../../api/client.ts";

export interface Save {
  state: "idle" | "busy" | "saved";
  error: string | null;
  submit: (event: Event) => void;
  /** Something was changed after the last save. */
  clear: () => void;
}

/** The state of a form that is saved by one call. */
export function useSave(write: () => Promise<void>): Save {
  const [state, setState] = useState<Save["state"]>("idle");
  const [error, setError] = useState<string | null>(null);
  const run = async () => {
    setState("busy");
    setError(null);
    try {
      await write();
      setState("saved");
    } catch (thrown) {
      setError(thrown instanceof ApiError ? thrown.message : String(thrown));
      setState("idle");
    }
  };
  return {
    state,
    error,
    submit: (event) => {
      event.preventDefault();
      void run();
    },
    clear: () => {
      setState("idle");
      setError(null);
    },
  };
}

export function SaveRow({ save, isChanged, label }: { save: Save; isChanged: boolean; label: string }) {
  return (
    <div class="row">
      <button class="button button-primary" disabled={!isChanged || save.state === "busy"}>
        {label}
      </button>
      <span role="status" class="small muted">
        {save.state === "saved" ? "Saved" : ""}
      </span>
      {save.error !== null && (
        <span class="error-text" role="alert">
          {save.error}
        </span>
      )}
    </div>
  );
}
