import { useEffect, useState } from "preact/hooks";
import { api, must } from "../../api/client.ts";
import { useData } from "../../api/use-data.ts";
import { setQuery } from "../../router.ts";
import { shortId } from "../../ui/quantities.ts";
import { isReference, statuses } from "./filter.ts";
import type { RunRow } from "./run-list.ts";
import type { Kind } from "./use-runs.ts";

function Reference({ label, name, query, known }: { label: string; name: "model" | "deployment"; query: URLSearchParams; known: readonly string[] }) {
  const set = query.get(name) ?? "";
  const [text, setText] = useState(set);
  useEffect(() => setText(set), [set]);
  const isWrong = text.trim() !== "" && !isReference(text);
  // A new model has other versions.
  const apply = (value: string) => {
    const now = value.trim();
    if (now !== set && (now === "" || isReference(now))) setQuery({ [name]: now, ...(name === "model" ? { version: null } : {}) });
  };
  return (
    <label>
      {label}
      <input
        type="search"
        placeholder="owner/name"
        list={`runs-known-${name}`}
        autocomplete="off"
        spellcheck={false}
        aria-invalid={isWrong}
        value={text}
        onInput={(e) => {
          setText(e.currentTarget.value);
          // Chosen from the list, or emptied: there is nothing more to type.
          if (e.currentTarget.value === "" || known.includes(e.currentTarget.value)) apply(e.currentTarget.value);
        }}
        onChange={(e) => apply(e.currentTarget.value)}
      />
      <datalist id={`runs-known-${name}`}>
        {known.map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
    </label>
  );
}

function VersionChoice({ model, query }: { model: string; query: URLSearchParams }) {
  const [owner = "", name = ""] = model.split("/");
  const set = query.get("version") ?? "";
  const versions = useData(
    async () => (model === "" ? null : must(api.GET("/v1/models/{owner}/{name}/versions", { params: { path: { owner, name } } }))),
    [model],
  );
  const ids = versions.data?.results.map((version) => version.id) ?? [];
  const shown = set === "" || ids.includes(set) ? ids : [set, ...ids];
  if (shown.length === 0) return null;
  return (
    <label>
      Version
      <select value={set} onChange={(e) => setQuery({ version: e.currentTarget.value })}>
        <option value="">any</option>
        {shown.map((id) => (
          <option key={id} value={id}>
            {shortId(id)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** All filters are the server's: the whole list is asked for by them. */
export function Filters({ kind, query, rows }: { kind: Kind; query: URLSearchParams; rows: readonly RunRow[] }) {
  const model = query.get("model") ?? "";
  const known = (of: (row: RunRow) => string | null) => [...new Set(rows.map(of))].filter((one) => one !== null).sort();
  return (
    <fieldset class="runs-filters">
      <legend class="visually-hidden">Filters</legend>
      <label>
        Status
        <select value={query.get("status") ?? ""} onChange={(e) => setQuery({ status: e.currentTarget.value })}>
          <option value="">any</option>
          {statuses.map((status) => (
            <option key={status}>{status}</option>
          ))}
        </select>
      </label>
      <Reference label="Model" name="model" query={query} known={known((row) => row.model)} />
      <VersionChoice model={isReference(model) ? model : ""} query={query} />
      {kind === "predictions" && <Reference label="Deployment" name="deployment" query={query} known={known((row) => row.deployment)} />}
      <label>
        From
        <input type="date" value={query.get("after") ?? ""} onChange={(e) => setQuery({ after: e.currentTarget.value })} />
      </label>
      <label>
        Before
        <input type="date" value={query.get("before") ?? ""} onChange={(e) => setQuery({ before: e.currentTarget.value })} />
      </label>
      <label class="runs-check">
        <input
          type="checkbox"
          checked={query.get("source") === "web"}
          onChange={(e) => setQuery({ source: e.currentTarget.checked ? "web" : null })}
        />
        Only from the web page
      </label>
    </fieldset>
  );
}
