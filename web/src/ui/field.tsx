import type { ComponentChildren } from "preact";
import "./field.css";

interface Props {
  label: string;
  hint?: string;
  children: ComponentChildren;
}

/** A labelled control of a form. */
export function Field({ label, hint, children }: Props) {
  return (
    <label class="field">
      <span class="field-label">{label}</span>
      {children}
      {hint !== undefined && <span class="muted small">{hint}</span>}
    </label>
  );
}

export function ActionError({ message }: { message: string | null }) {
  if (message === null) return null;
  return (
    <p class="field-error" role="alert">
      {message}
    </p>
  );
}
