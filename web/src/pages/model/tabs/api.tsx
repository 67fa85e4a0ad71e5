import { toJson } from "../../../api/json.ts";
import { useEffect } from "preact/hooks";
import type { Schemas } from "../../../api/client.ts";
import { fieldsOf, namedSchema } from "../../../form/schema.ts";
import { setQuery } from "../../../router.ts";
import { languages, setup, snippets, type Kind, type Language } from "../../../snippets/snippets.ts";
import { Code } from "../../../ui/code.tsx";
import { download } from "../../../ui/download.ts";
import { Switch } from "../../../ui/switch.tsx";
import { Tabs } from "../../../ui/tabs.tsx";
import { SchemaTable } from "../schema/schema-table.tsx";
import type { TabProps } from "../tabs.ts";
import { readDraft } from "../playground/draft.ts";
import { callInput } from "./call-input.ts";
import { NoVersion } from "./no-version.tsx";
import { OtherClients } from "./openai.tsx";
import "./tabs.css";

const kinds: readonly { id: Kind; label: string; sentence: string }[] = [
  { id: "run", label: "Run", sentence: "Runs the model and returns its output." },
  { id: "stream", label: "Stream", sentence: "Gets the output piece by piece, as the model makes it." },
  { id: "webhook", label: "Webhook", sentence: "Returns at once. The server sends the result to your URL when it is there." },
  { id: "wait", label: "Wait", sentence: "Waits up to 60 seconds. A run that takes longer goes on and can be asked for by its id." },
];

/** The one of `all` that the address names, else the first. */
function chosen<Id extends string>(all: readonly { id: Id }[], name: string | null, otherwise: Id): Id {
  return all.find(({ id }) => id === name)?.id ?? otherwise;
}

export function ApiTab({ model, version, query }: TabProps) {
  useScrollToAnchor(version?.id);
  if (version === null) return <NoVersion model={model} />;
  const openapi = version.openapi_schema;
  const hasTraining = namedSchema(openapi, "TrainingInput") !== null;
  return (
    <div class="model-tab">
      <Calls model={model} version={version} query={query} />
      <OtherClients model={model} query={query} />
      <section aria-labelledby="input-schema">
        <h2 id="input-schema">Input</h2>
        <SchemaTable openapi={openapi} component="Input" prefix="input" caption="Input schema" />
      </section>
      <section aria-labelledby="output-schema">
        <h2 id="output-schema">Output</h2>
        <SchemaTable openapi={openapi} component="Output" prefix="output" caption="Output schema" />
      </section>
      {hasTraining && (
        <section aria-labelledby="training-schema">
          <h2 id="training-schema">Training input</h2>
          <SchemaTable openapi={openapi} component="TrainingInput" prefix="training" caption="Training input schema" />
        </section>
      )}
      <section aria-label="OpenAPI document">
        <button
          type="button"
          class="button api-download"
          onClick={() => download(toJson(openapi, 2), `${model.owner}-${model.name}-openapi.json`, "application/json")}
        >
          Download the OpenAPI document
        </button>
      </section>
    </div>
  );
}

interface CallsProps {
  model: Schemas["Model"];
  version: Schemas["Version"];
  query: URLSearchParams;
}

function Calls({ model, version, query }: CallsProps) {
  const language: Language = chosen(languages, query.get("language"), "python");
  const kind = chosen(kinds, query.get("call"), "run");
  const name = `${model.owner}/${model.name}`;
  const ref = query.has("version") ? `${name}:${version.id}` : name;
  const input = callInput(model, fieldsOf(version.openapi_schema), readDraft(name));
  const label = languages.find(({ id }) => id === language)?.label ?? language;
  return (
    <section aria-labelledby="calls">
      <h2 id="calls">Call this model</h2>
      <Tabs label="Language" tabs={languages} value={language} onChange={(id) => setQuery({ language: id })}>
        <div class="stack">
          <Code text={setup(language, location.origin)} label={`Set-up for ${label}`} />
          <div class="row">
            <Switch label="Kind of call" options={kinds} value={kind} onChange={(id) => setQuery({ call: id })} />
            <span class="muted small">{kinds.find(({ id }) => id === kind)?.sentence}</span>
          </div>
          <Code text={snippets(kind, language, { origin: location.origin, ref, input }).trimEnd()} label={`Call in ${label}`} />
        </div>
      </Tabs>
    </section>
  );
}

/** The browser looks for the anchor of the address before there is one. */
function useScrollToAnchor(key: string | undefined): void {
  useEffect(() => {
    if (location.hash === "") return;
    const { hash } = location;
    document.getElementById(decodeURIComponent(hash.slice(1)))?.scrollIntoView();
    // So that :target knows it too.
    location.replace(hash);
  }, [key]);
}
