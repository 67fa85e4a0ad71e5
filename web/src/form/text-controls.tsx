import { toJson } from "../api/json.ts";
import { useState } from "preact/hooks";
import type { ControlProps } from "./control.ts";
import { parseJson } from "./values.ts";

const LEAST_ROWS = 1;
const MOST_ROWS = 14;

function rowsOf(text: string): number {
  const lines = text.split("\n").reduce((sum, line) => sum + 1 + Math.floor(line.length / 70), 0);
  return Math.min(MOST_ROWS, Math.max(LEAST_ROWS, lines));
}

function placeholder({ field, value }: ControlProps): string {
  if (value === null) return "null";
  return value === undefined && !field.isRequired ? "Left out" : "";
}

const asText = (value: unknown): string =>
  value === undefined || value === null ? "" : typeof value === "string" ? value : toJson(value);

export function TextControl(props: ControlProps) {
  const text = asText(props.value);
  return (
    <textarea
      id={props.id}
      class="control-text"
      rows={rowsOf(text)}
      value={text}
      placeholder={placeholder(props)}
      aria-describedby={props.describedBy}
      aria-invalid={props.isInvalid}
      aria-required={props.field.isRequired}
      onInput={(event) => props.onChange(event.currentTarget.value)}
    />
  );
}

/** Typed unseen, and never shown again. */
export function SecretControl(props: ControlProps) {
  return (
    <input
      id={props.id}
      type="password"
      autoComplete="new-password"
      value={asText(props.value)}
      placeholder={placeholder(props)}
      aria-describedby={props.describedBy}
      aria-invalid={props.isInvalid}
      aria-required={props.field.isRequired}
      onInput={(event) => props.onChange(event.currentTarget.value === "" ? undefined : event.currentTarget.value)}
    />
  );
}

/** Any value, as JSON. The text is the person's own until it is valid. */
export function JsonControl(props: ControlProps) {
  const written = props.value === undefined ? "" : toJson(props.value, 2);
  const [draft, setDraft] = useState<string | null>(null);
  const change = (text: string) => {
    if (text.trim() === "") {
      props.onProblem(null);
      setDraft(null);
      props.onChange(undefined);
      return;
    }
    const parsed = parseJson(text);
    setDraft(text);
    props.onProblem(parsed.ok ? null : parsed.message);
    if (parsed.ok) props.onChange(parsed.value);
  };
  const isSame = draft !== null && (() => {
    const parsed = parseJson(draft);
    return !parsed.ok || toJson(parsed.value, 2) === written;
  })();
  const text = isSame && draft !== null ? draft : written;
  return (
    <textarea
      id={props.id}
      class="control-text mono"
      rows={Math.max(2, rowsOf(text))}
      spellcheck={false}
      value={text}
      placeholder={props.value === undefined ? 'JSON, such as {"a": 1}' : ""}
      aria-describedby={props.describedBy}
      aria-invalid={props.isInvalid}
      aria-required={props.field.isRequired}
      onInput={(event) => change(event.currentTarget.value)}
    />
  );
}
