import { toJson } from "../../../api/json.ts";
import { useMemo, useState } from "preact/hooks";
import { SchemaForm } from "../../../form/schema-form.tsx";
import type { Field } from "../../../form/schema.ts";
import { parseInput, withoutSecrets, type Values } from "../../../form/values.ts";
import { setQuery } from "../../../router.ts";
import { languages, snippets, type Language } from "../../../snippets/snippets.ts";
import { Code } from "../../../ui/code.tsx";
import { Switch } from "../../../ui/switch.tsx";

const views = [{ id: "form", label: "Form" }, { id: "json", label: "JSON" }, ...languages] as const;
type View = "form" | "json" | Language;

interface Props {
  fields: readonly Field[];
  values: Values;
  errors: Readonly<Record<string, readonly string[]>>;
  /** owner/name, or owner/name:version. */
  reference: string;
  view: string | null;
  onChange: (values: Values) => void;
  onProblem: (name: string, message: string | null) => void;
}

/** The refusals with the names of their fields, where the fields are not seen. */
function Refusals({ errors }: Pick<Props, "errors">) {
  const sentences = Object.entries(errors).flatMap(([name, list]) => list.map((one) => (name === "" ? one : `${name}: ${one}`)));
  return (
    <div role="alert">
      {sentences.map((sentence) => <p key={sentence} class="error-text">{sentence}</p>)}
    </div>
  );
}

/** The whole input as JSON. What is no JSON yet stays as it was typed. */
function JsonInput({ values, onChange, onProblem }: Pick<Props, "values" | "onChange" | "onProblem">) {
  const written = useMemo(() => toJson(values, 2), [values]);
  const [typed, setTyped] = useState<{ text: string; says: string | null } | null>(null);
  const text = typed !== null && (typed.says === null || typed.says === written) ? typed.text : written;
  return (
    <textarea
      class="playground-json mono"
      aria-label="Input as JSON"
      spellcheck={false}
      rows={Math.min(30, Math.max(8, text.split("\n").length + 1))}
      value={text}
      onInput={(event) => {
        const next = event.currentTarget.value;
        const parsed = parseInput(next);
        setTyped({ text: next, says: parsed.ok ? toJson(parsed.values, 2) : null });
        onProblem("", parsed.ok ? null : parsed.message);
        if (parsed.ok) onChange(parsed.values);
      }}
    />
  );
}

export function Inputs(props: Props) {
  const { fields, values, errors, reference } = props;
  const view: View = views.find((candidate) => candidate.id === props.view)?.id ?? "form";
  const change = (next: View) => {
    // A text that is no JSON ends with its view.
    if (view === "json") props.onProblem("", null);
    setQuery({ view: next === "form" ? null : next });
  };
  const call = { origin: location.origin, ref: reference, input: withoutSecrets(values, fields) };
  return (
    <div class="stack">
      <Switch label="Show the input as" options={views} value={view} onChange={change} />
      {view === "form" ? (
        <SchemaForm {...props} />
      ) : view === "json" ? (
        <JsonInput {...props} />
      ) : (
        <Code text={snippets("run", view, call)} label={languages.find(({ id }) => id === view)?.label ?? view} />
      )}
      {view !== "form" && <Refusals errors={errors} />}
    </div>
  );
}
