import { toJson } from "../api/json.ts";
import { useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import type { ControlProps } from "./control.ts";
import { FilePicker } from "./file-picker.tsx";
import { FilePreview } from "./preview.tsx";
import { moved, numberFrom } from "./values.ts";

interface RowProps {
  label: string;
  at: number;
  list: readonly unknown[];
  onChange: (list: unknown[]) => void;
  children: ComponentChildren;
}

function Row({ label, at, list, onChange, children }: RowProps) {
  return (
    <li class="list-row">
      <span class="grow">{children}</span>
      <button type="button" class="button button-small button-plain" disabled={at === 0} aria-label={`Move ${label} up`} onClick={() => onChange(moved(list, at, at - 1))}>↑</button>
      <button type="button" class="button button-small button-plain" disabled={at === list.length - 1} aria-label={`Move ${label} down`} onClick={() => onChange(moved(list, at, at + 1))}>↓</button>
      <button type="button" class="button button-small button-plain" aria-label={`Remove ${label}`} onClick={() => onChange(list.filter((_, i) => i !== at))}>✕</button>
    </li>
  );
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** Texts, numbers or booleans, one below the other. */
export function ListControl({ field, value, onChange, id, describedBy, isInvalid }: ControlProps) {
  const list = listOf(value);
  const rows = useRef<HTMLDivElement>(null);
  const set = (at: number, item: unknown) => onChange(list.map((old, i) => (i === at ? item : old)));
  const add = () => {
    onChange([...list, field.item === "boolean" ? false : ""]);
    requestAnimationFrame(() => rows.current?.querySelector<HTMLElement>("li:last-child input")?.focus());
  };
  return (
    <div ref={rows} role="group" aria-labelledby={`${id}-label`} aria-describedby={describedBy} aria-invalid={isInvalid}>
      {list.length > 0 && (
        <ol class="list-rows">
          {list.map((item, at) => (
            <Row key={at} label={`${field.name} ${at + 1}`} at={at} list={list} onChange={onChange}>
              {field.item === "boolean" ? (
                <input type="checkbox" checked={item === true} aria-label={`${field.name} ${at + 1}`} onChange={(event) => set(at, event.currentTarget.checked)} />
              ) : (
                <input
                  class="control-wide"
                  aria-label={`${field.name} ${at + 1}`}
                  autoComplete="off"
                  value={typeof item === "string" ? item : toJson(item)}
                  onInput={(event) => set(at, field.item === "text" ? event.currentTarget.value : numberFrom(event.currentTarget.value))}
                />
              )}
            </Row>
          ))}
        </ol>
      )}
      <button id={id} type="button" class="button button-small" onClick={add}>
        Add to {field.name}
      </button>
      {value !== undefined && list.length === 0 && <span class="small muted control-note">An empty list</span>}
    </div>
  );
}

export function FilesControl({ field, value, onChange, id, describedBy, isInvalid }: ControlProps) {
  const list = listOf(value);
  return (
    <div class="stack stack-tight">
      {list.length > 0 && (
        <ol class="list-rows">
          {list.map((url, at) => (
            <Row key={`${at} ${String(url)}`} label={`file ${at + 1}`} at={at} list={list} onChange={onChange}>
              <FilePreview url={String(url)} />
            </Row>
          ))}
        </ol>
      )}
      <FilePicker id={id} name={field.name} describedBy={describedBy} isInvalid={isInvalid} isMultiple onUrls={(urls) => onChange([...list, ...urls])} />
    </div>
  );
}

export function FileControl({ field, value, onChange, id, describedBy, isInvalid }: ControlProps) {
  // The box stays while somebody types: nothing may move under a click on Run.
  const [isTyping, setTyping] = useState(false);
  if (typeof value === "string" && value !== "" && !isTyping) {
    return (
      <div id={id} class="list-row file-chosen">
        <span class="grow"><FilePreview url={value} /></span>
        <button type="button" class="button button-small" aria-label={`Remove the file of ${field.name}`} onClick={() => onChange(undefined)}>
          Remove
        </button>
      </div>
    );
  }
  return (
    <FilePicker
      id={id}
      name={field.name}
      describedBy={describedBy}
      isInvalid={isInvalid}
      isMultiple={false}
      onText={(text) => {
        setTyping(true);
        onChange(text === "" ? undefined : text);
      }}
      onUrls={([url]) => {
        if (url === undefined) return;
        setTyping(false);
        onChange(url);
      }}
    />
  );
}
