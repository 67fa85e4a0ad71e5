import { useEffect, useRef } from "preact/hooks";

interface Keys {
  onRun: () => void;
  /** null: nothing to cancel. */
  onCancel: (() => void) | null;
}

/** Ctrl or Cmd with Enter runs, Escape cancels, wherever the focus is. */
export function useKeys(keys: Keys): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      // A dialog takes its own keys.
      if (event.defaultPrevented || document.querySelector("dialog[open]") !== null) return;
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        latest.current.onRun();
      } else if (event.key === "Escape" && latest.current.onCancel !== null) {
        event.preventDefault();
        latest.current.onCancel();
      }
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
}
