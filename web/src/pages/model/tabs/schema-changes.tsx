import { api, must, type Schemas } from "../../../api/client.ts";
import { useData } from "../../../api/use-data.ts";
import { setQuery } from "../../../router.ts";
import { Badge } from "../../../ui/badge.tsx";
import { shortId } from "../../../ui/quantities.ts";
import { Pending } from "../../../ui/states.tsx";
import { diffSchemas, type Difference } from "../schema/diff.ts";
import type { Component } from "../schema/facts.ts";

interface Props {
  model: Schemas["Model"];
  /** The newest first. */
  versions: readonly Schemas["Version"][];
  query: URLSearchParams;
}

/** The schema differences between the two versions that the address names, by default the newest two. */
export function SchemaChanges({ model, versions, query }: Props) {
  const after = query.get("after") ?? versions[0]?.id ?? "";
  const before = query.get("before") ?? versions[1]?.id ?? "";
  return (
    <section aria-labelledby="schema-changes">
      <h2 id="schema-changes">Schema differences</h2>
      <div class="row">
        <VersionChoice label="From" value={before} versions={versions} onChange={(id) => setQuery({ before: id, after })} />
        <VersionChoice label="To" value={after} versions={versions} onChange={(id) => setQuery({ before, after: id })} />
        <button type="button" class="button" onClick={() => setQuery({ before: after, after: before })}>
          Swap
        </button>
      </div>
      <Changes model={model} versions={versions} before={before} after={after} />
    </section>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  versions: readonly Schemas["Version"][];
  onChange: (id: string) => void;
}

function VersionChoice({ label, value, versions, onChange }: ChoiceProps) {
  const isListed = versions.some((version) => version.id === value);
  return (
    <label class="version-choice">
      <span class="muted small">{label}</span>
      <select class="mono" value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {!isListed && <option value={value}>{shortId(value)}</option>}
        {versions.map((version) => (
          <option key={version.id} value={version.id}>
            {shortId(version.id)} ({version.created_at.slice(0, 10)})
          </option>
        ))}
      </select>
    </label>
  );
}

function Changes({ model, versions, before, after }: Omit<Props, "query"> & { before: string; after: string }) {
  const { owner, name } = model;
  const read = async (id: string) =>
    versions.find((version) => version.id === id) ??
    (await must(api.GET("/v1/models/{owner}/{name}/versions/{id}", { params: { path: { owner, name, id } } })));
  const pair = useData(() => Promise.all([read(before), read(after)]), [owner, name, before, after], { keepsData: true });
  if (pair.data === null) return <Pending loaded={pair} />;
  const differences = diffSchemas(pair.data[0].openapi_schema, pair.data[1].openapi_schema);
  if (differences.length === 0) return <p class="muted">The schemas are the same.</p>;
  return <DifferenceTable differences={differences} />;
}

const names: Record<Component, string> = {
  Input: "Input",
  Output: "Output",
  TrainingInput: "Training input",
  TrainingOutput: "Training output",
};

const tones = { added: "good", removed: "bad", changed: "warn" } as const;

export function DifferenceTable({ differences }: { differences: readonly Difference[] }) {
  return (
    <div class="scroll-x" role="region" aria-label="Schema differences" tabIndex={0}>
      <table class="difference-table">
        <thead>
          <tr>
            <th scope="col">Where</th>
            <th scope="col">Change</th>
            <th scope="col">What</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
          </tr>
        </thead>
        {differences.map((difference) => (
          <tbody key={`${difference.component} ${difference.name ?? ""}`}>
            {difference.changes.map((change, i) => (
              <tr key={change.what}>
                {i === 0 && <Head difference={difference} />}
                <td>{change.what}</td>
                <td class="mono">{change.before ?? "–"}</td>
                <td class="mono">{change.after ?? "–"}</td>
              </tr>
            ))}
          </tbody>
        ))}
      </table>
    </div>
  );
}

function Head({ difference }: { difference: Difference }) {
  const rows = difference.changes.length;
  return (
    <>
      <th scope="row" rowSpan={rows}>
        <span class="muted">{names[difference.component]}</span>{" "}
        {difference.name !== null && <span class="mono difference-name">{difference.name}</span>}
      </th>
      <td rowSpan={rows}>
        <span class="row">
          <Badge tone={tones[difference.kind]}>{difference.kind}</Badge>
          {difference.isBreaking && (
            <Badge tone="bad" title="A call that was right before may now be refused or mean something else">
              breaking
            </Badge>
          )}
        </span>
      </td>
    </>
  );
}
