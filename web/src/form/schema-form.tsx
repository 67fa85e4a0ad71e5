import { toJson } from "../api/json.ts";
import type { ComponentType } from "preact";
import type { ControlProps } from "./control.ts";
import { FileControl, FilesControl, ListControl } from "./list-controls.tsx";
import { BooleanControl, ChoiceControl, NumberControl } from "./number-controls.tsx";
import { JsonControl, SecretControl, TextControl } from "./text-controls.tsx";
import type { Field, Shape } from "./schema.ts";
import { emptyOf, without, withValue, type Values } from "./values.ts";
import "./form.css";

const controls: Record<Shape, ComponentType<ControlProps>> = {
  text: TextControl,
  integer: NumberControl,
  number: NumberControl,
  boolean: BooleanControl,
  choice: ChoiceControl,
  file: FileControl,
  files: FilesControl,
  secret: SecretControl,
  list: ListControl,
  json: JsonControl,
};

interface FieldProps {
  field: Field;
  value: unknown;
  errors: readonly string[];
  prefix: string;
  onChange: (value: unknown) => void;
  onProblem: (message: string | null) => void;
}

function help(field: Field): string {
  const bounds =
    field.minimum !== null && field.maximum !== null
      ? ""
      : field.minimum !== null
        ? ` At least ${field.minimum}.`
        : field.maximum !== null
          ? ` At most ${field.maximum}.`
          : "";
  return `${field.description}${bounds}`.trim();
}

function FieldRow({ field, value, errors, prefix, onChange, onProblem }: FieldProps) {
  const id = `${prefix}-${field.name}`;
  const Control = controls[field.shape];
  const described = [help(field) !== "" || field.hasDefault ? `${id}-help` : "", errors.length > 0 ? `${id}-error` : ""].filter(Boolean).join(" ");
  return (
    <div class={errors.length > 0 ? "field field-bad" : "field"} data-name={field.name}>
      <div class="field-head">
        {field.shape === "list" ? (
          <span id={`${id}-label`} class="field-name">{field.name}</span>
        ) : (
          <label id={`${id}-label`} for={id} class="field-name">{field.name}</label>
        )}
        {field.isRequired && <span class="field-required" title="Required" aria-hidden="true">*</span>}
        <span class="field-type">{field.type}</span>
        {field.isDeprecated && <span class="field-deprecated">deprecated</span>}
        {!field.isRequired && (
          <label class="field-include">
            <input
              type="checkbox"
              checked={value !== undefined}
              aria-label={`Include ${field.name}`}
              onChange={(event) => {
                onProblem(null);
                onChange(event.currentTarget.checked ? emptyOf(field) : undefined);
              }}
            />
            <span aria-hidden="true">Include</span>
          </label>
        )}
      </div>
      <Control
        field={field}
        value={value}
        onChange={onChange}
        onProblem={onProblem}
        id={id}
        describedBy={described === "" ? undefined : described}
        isInvalid={errors.length > 0}
      />
      {(help(field) !== "" || field.hasDefault) && (
        <p class="field-help" id={`${id}-help`}>
          {help(field)}
          {field.hasDefault && (
            <span>{help(field) === "" ? "" : " · "}Default: <code>{typeof field.default === "string" ? field.default || '""' : toJson(field.default)}</code></span>
          )}
        </p>
      )}
      {errors.length > 0 && (
        <p class="error-text" id={`${id}-error`} role="alert">
          {errors.join(" ")}
        </p>
      )}
    </div>
  );
}

interface Props {
  fields: readonly Field[];
  values: Values;
  /** Sentences by field; those under "" belong to none. */
  errors: Readonly<Record<string, readonly string[]>>;
  onChange: (values: Values) => void;
  onProblem: (name: string, message: string | null) => void;
  /** Of the ids, for two forms on one page. */
  prefix?: string;
}

/** A form made from the input schema of a version. */
export function SchemaForm({ fields, values, errors, onChange, onProblem, prefix = "input" }: Props) {
  const unknown = Object.keys(values).filter((name) => !fields.some((field) => field.name === name));
  return (
    <div class="schema-form">
      {fields.length === 0 && <p class="muted">This model takes no inputs.</p>}
      {fields.map((field) => (
        <FieldRow
          key={field.name}
          field={field}
          value={Object.hasOwn(values, field.name) ? values[field.name] : undefined}
          errors={errors[field.name] ?? []}
          prefix={prefix}
          onChange={(value) => onChange(value === undefined ? without(values, field.name) : withValue(values, field.name, value))}
          onProblem={(message) => onProblem(field.name, message)}
        />
      ))}
      {unknown.length > 0 && (
        <p class="small muted">Also sent, as the JSON says: {unknown.join(", ")}.</p>
      )}
      {(errors[""] ?? []).map((sentence) => (
        <p key={sentence} class="error-text" role="alert">{sentence}</p>
      ))}
    </div>
  );
}
