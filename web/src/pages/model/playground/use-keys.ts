import { useLayoutEffect, useRef } from "preact/hooks";

/** The name of the key that people of this system know. */
export const runKey = /Mac|iPhone|iPad/.test(navigator.userAgent) ? "⌘ ⏎" : "Ctrl ⏎";

interface Keys {
  onRun: () => void;
  /** null: nothing to cancel. */
  onCancel: (() => void) | null;
}

/** Ctrl or Cmd with Enter runs, Escape cancels, wherever the focus is. */
export function useKeys(keys: Keys): void {
  const latest = useRef(keys);
  latest.current = keys;
  // With the layout: a key that is pressed as soon as the page is seen counts.
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent) => {
      // A dialog takes its own keys.
      if (event.defaultPrevented || document.querySelector("dialog[open]") !== null) return;
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        // What is given when its box is left is part of the input.
        if (document.activeElement instanceof HTMLInputElement && document.activeElement.type === "url") document.activeElement.blur();
        window.setTimeout(() => latest.current.onRun());
      } else if (event.key === "Escape" && latest.current.onCancel !== null) {
        event.preventDefault();
        latest.current.onCancel();
      }
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
}
