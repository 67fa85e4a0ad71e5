import { useState } from "preact/hooks";
import { toJson } from "../api/json.ts";
import type { Field } from "../form/schema.ts";
import { OutputFile } from "../output/file.tsx";
import { isFileUrl } from "../output/kind.ts";
import { Code } from "../ui/code.tsx";
import { Switch } from "../ui/switch.tsx";
import { UploadedFile } from "./uploaded-file.tsx";
import { uploadedId } from "./uploaded-id.ts";
import "./input-list.css";

const views = [
  { id: "list", label: "List" },
  { id: "json", label: "JSON" },
] as const;

function InputFile({ url }: { url: string }) {
  const id = uploadedId(url);
  return id === null ? <OutputFile url={url} /> : <UploadedFile url={url} id={id} />;
}

function Value({ value, isFile }: { value: unknown; isFile: boolean }) {
  if (typeof value === "string") {
    if (value === "") return <span class="muted">empty text</span>;
    return isFile || isFileUrl(value) ? <InputFile url={value} /> : <span class="input-list-text">{value}</span>;
  }
  if (Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "string") && (isFile || value.every(isFileUrl))) {
    return <span class="stack stack-tight">{value.map((url, i) => <InputFile key={i} url={url} />)}</span>;
  }
  return <code class="input-list-text">{toJson(value)}</code>;
}

interface Props {
  input: Record<string, unknown>;
  /** Of the version that ran, for the order; empty when it is not at hand. */
  fields: readonly Field[];
  /** Offers the JSON too. */
  hasViews?: boolean;
}

/** The input of a run, in the order of the model's fields; unknown names come last. */
export function InputList({ input, fields, hasViews = false }: Props) {
  const [view, setView] = useState<"list" | "json">("list");
  const known = new Map(fields.map((field) => [field.name, field]));
  const names = [...known.keys()].filter((name) => Object.hasOwn(input, name));
  const rest = Object.keys(input).filter((name) => !known.has(name));
  const isFile = (name: string) => ["file", "files"].includes(known.get(name)?.shape ?? "");
  const list =
    names.length + rest.length === 0 ? (
      <p class="muted">The run had no input: every field had its default.</p>
    ) : (
      <dl class="input-list">
        {[...names, ...rest].map((name) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd><Value value={input[name]} isFile={isFile(name)} /></dd>
          </div>
        ))}
      </dl>
    );
  if (!hasViews) return list;
  return (
    <div class="stack">
      <Switch label="Show the input as" options={views} value={view} onChange={setView} />
      {view === "json" ? <Code text={toJson(input, 2)} label="Input as JSON" /> : list}
    </div>
  );
}
