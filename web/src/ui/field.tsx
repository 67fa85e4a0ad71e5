import { cloneElement, type VNode } from "preact";
import { useId } from "preact/hooks";
import "./field.css";

interface Props {
  label: string;
  hint?: string;
  /** The control; it gets the id that its label names. */
  children: VNode<{ id?: string; "aria-describedby"?: string }>;
}

/** A labelled control of a form. */
export function Field({ label, hint, children }: Props) {
  const id = useId();
  const described = hint === undefined ? {} : { "aria-describedby": `${id}-hint` };
  return (
    <div class="field">
      <label class="field-label" for={id}>
        {label}
      </label>
      {cloneElement(children, { id, ...described })}
      {hint !== undefined && (
        <span id={`${id}-hint`} class="muted small">
          {hint}
        </span>
      )}
    </div>
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
