import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { ApiError } from "../api/client.ts";
import "./dialog.css";

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
}

/** A modal dialog, open as long as it is rendered. Escape and a click beside it close it. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={element}
      class="dialog"
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => event.target === element.current && onClose()}
    >
      <div class="dialog-body stack">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  /** The words on the button. */
  action: string;
  /** A text to type before the action is possible. */
  typed?: string;
  isDanger?: boolean;
  onConfirm: () => Promise<void>;
  onClose: () => void;
  children: ComponentChildren;
}

/** Asks before a change, and shows why it was refused. */
export function Confirm({ title, action, typed, isDanger = true, onConfirm, onClose, children }: ConfirmProps) {
  const [given, setGiven] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const confirm = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await onConfirm();
      onClose();
    } catch (thrown) {
      setError(thrown instanceof ApiError ? thrown.message : String(thrown));
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form class="stack" onSubmit={(event) => void confirm(event)}>
        {children}
        {typed !== undefined && (
          <label class="dialog-field">
            <span>
              Type <code>{typed}</code> to confirm
            </span>
            <input value={given} autocomplete="off" onInput={(event) => setGiven(event.currentTarget.value)} />
          </label>
        )}
        {error !== null && (
          <p class="dialog-error" role="alert">
            {error}
          </p>
        )}
        <div class="row dialog-actions">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button class={`button ${isDanger ? "button-danger" : "button-primary"}`} disabled={isBusy || (typed !== undefined && given !== typed)}>
            {action}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
