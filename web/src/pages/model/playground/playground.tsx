import { useData } from "../../../api/use-data.ts";
import { fieldsOf, namedSchema } from "../../../form/schema.ts";
import { Empty, Pending } from "../../../ui/states.tsx";
import { useMemo } from "preact/hooks";
import type { TabProps } from "../tabs.ts";
import { Bench } from "./bench.tsx";
import { findStart } from "./start.ts";
import "./playground.css";

/** Try a model: the input on one side, the result on the other. */
export function Playground({ model, version, query }: TabProps) {
  const openapi = version?.openapi_schema;
  const fields = useMemo(() => fieldsOf(openapi), [openapi]);
  const start = useData(() => findStart(model, fields, query), [model.owner, model.name, version?.id]);

  if (version === null) {
    return (
      <Empty title="This model has no version yet">
        <p>Push one: <code>vend push . {model.owner}/{model.name}</code></p>
      </Empty>
    );
  }
  if (start.data === null) return <Pending loaded={start} rows={6} />;
  return (
    <Bench
      key={`${model.owner}/${model.name} ${version.id}`}
      model={model}
      version={version}
      fields={fields}
      outputSchema={namedSchema(openapi, "Output")}
      start={start.data}
      query={query}
    />
  );
}
