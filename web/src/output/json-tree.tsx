import { toJson } from "../api/json.ts";
import { useState } from "preact/hooks";

const MOST_ITEMS = 200;
const OPEN_DEPTH = 2;

function Leaf({ value }: { value: unknown }) {
  const kind = value === null ? "null" : typeof value;
  return <span class={`json-${kind}`}>{toJson(value)}</span>;
}

function Node({ name, value, depth }: { name: string | null; value: unknown; depth: number }) {
  const [isOpen, setOpen] = useState(depth < OPEN_DEPTH);
  const label = name === null ? null : <span class="json-name">{name}: </span>;
  if (typeof value !== "object" || value === null) {
    return <div class="json-leaf">{label}<Leaf value={value} /></div>;
  }
  const isList = Array.isArray(value);
  const entries = Object.entries(value);
  const size = isList ? `[${entries.length}]` : `{${entries.length}}`;
  return (
    <details class="json-node" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{label}<span class="muted">{size}</span></summary>
      {isOpen && (
        <div class="json-inner">
          {entries.slice(0, MOST_ITEMS).map(([key, item]) => <Node key={key} name={key} value={item} depth={depth + 1} />)}
          {entries.length > MOST_ITEMS && <p class="small muted">{entries.length - MOST_ITEMS} more; the JSON has all.</p>}
        </div>
      )}
    </details>
  );
}

export function JsonTree({ value }: { value: unknown }) {
  return <div class="json-tree"><Node name={null} value={value} depth={0} /></div>;
}
