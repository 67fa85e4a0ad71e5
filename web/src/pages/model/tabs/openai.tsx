import type { Schemas } from "../../../api/client.ts";
import { setQuery } from "../../../router.ts";
import { mcpAddress, openaiBase, openaiLanguages, openaiSetup, openaiSnippet } from "../../../snippets/openai.ts";
import { Code } from "../../../ui/code.tsx";
import { Switch } from "../../../ui/switch.tsx";
import { Tabs } from "../../../ui/tabs.tsx";

interface Props {
  model: Schemas["Model"];
  query: URLSearchParams;
}

/** Which of OpenAI's endpoints the model fits and how to call them; and the address for agents. */
export function OtherClients({ model, query }: Props) {
  const name = `${model.owner}/${model.name}`;
  const { endpoints = [], others = {} } = model.openai ?? {};
  return (
    <>
      <section aria-labelledby="openai">
        <h2 id="openai">OpenAI clients</h2>
        <Code text={openaiBase(location.origin)} label="Base URL for OpenAI clients" />
        {endpoints.length > 0 && <OpenaiCalls name={name} endpoints={endpoints} query={query} />}
        {endpoints.length === 0 && <p>This model fits none of their endpoints.</p>}
        {Object.keys(others).length > 0 && <Misfits others={others} />}
      </section>
      <section aria-labelledby="mcp">
        <h2 id="mcp">Agents</h2>
        <p class="muted small">The model as one tool of a Model Context Protocol server, with a token as its bearer key.</p>
        <Code text={mcpAddress(location.origin, name)} label="Address for MCP clients" />
      </section>
    </>
  );
}

interface CallsProps {
  name: string;
  endpoints: readonly string[];
  query: URLSearchParams;
}

function OpenaiCalls({ name, endpoints, query }: CallsProps) {
  const options = endpoints.map((id) => ({ id, label: id }));
  const endpoint = endpoints.find((id) => id === query.get("endpoint")) ?? endpoints[0] ?? "";
  const language = openaiLanguages.find(({ id }) => id === query.get("client"))?.id ?? "python";
  return (
    <Tabs label="Client" tabs={openaiLanguages} value={language} onChange={(id) => setQuery({ client: id })}>
      <div class="stack">
        <Code text={openaiSetup(language, location.origin)} label="Set-up of the client" />
        <Switch label="Endpoint" options={options} value={endpoint} onChange={(id) => setQuery({ endpoint: id })} />
        <Code text={openaiSnippet(endpoint, language, location.origin, name).trimEnd()} label={`Call of ${endpoint}`} />
      </div>
    </Tabs>
  );
}

function Misfits({ others }: { others: Record<string, string> }) {
  return (
    <details>
      <summary>Endpoints that it does not fit</summary>
      <dl class="facts">
        {Object.entries(others).map(([endpoint, why]) => (
          <div key={endpoint} class="misfit">
            <dt>{endpoint}</dt>
            <dd>{why}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
