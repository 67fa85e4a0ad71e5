// The official TypeScript clients, both generations, against a server: sdk.mjs URL TOKEN MODEL.
import assert from "node:assert";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as OldTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const [url, token, model] = process.argv.slice(2);
const requestInit = { headers: { Authorization: `Bearer ${token}` } };
const [owner, name] = model.split("/");

async function check(kind, make, callTool) {
  const client = await make("/mcp");
  const { tools } = await client.listTools();
  assert.deepEqual(tools[2].name, "run_model");
  const found = await callTool(client, "search_models", { query: name });
  assert(found.structuredContent.models.some((found) => found.model === model));
  const notes = [];
  const run = await callTool(client, "run_model", { model, input: { text: "hi", delay: 1.5 } }, (note) => notes.push(note));
  assert.equal(run.structuredContent.output, "hi");
  assert(notes.length > 0);
  const wrong = await callTool(client, "run_model", { model, input: { text: 7 } });
  assert(wrong.isError);
  const { contents } = await client.readResource({ uri: `vend://model/${model}` });
  assert(contents[0].text.startsWith(`# ${model}`));
  await assert.rejects(callTool(client, "nope", {}));
  await client.close();
  const typed = await make(`/mcp/${owner}/${name}`);
  await typed.listTools();
  const said = await callTool(typed, `${owner}__${name}`, { text: "typed" });
  assert.equal(said.structuredContent.output, "typed");
  await typed.close();
  console.log(`ok  ${kind}`);
}

const call = (client, name, args, onprogress) => client.callTool({ name, arguments: args }, { onprogress });
const oldCall = (client, name, args, onprogress) =>
  client.callTool({ name, arguments: args }, undefined, { onprogress });

async function connect(path, options) {
  const client = new Client({ name: "vend-test", version: "1" }, options);
  await client.connect(new StreamableHTTPClientTransport(new URL(url + path), { requestInit }));
  return client;
}

await check("@modelcontextprotocol/client", (path) => connect(path, {}), call);
await check(
  "@modelcontextprotocol/client, any revision",
  (path) => connect(path, { versionNegotiation: { mode: "auto" } }),
  call,
);
await check(
  "@modelcontextprotocol/sdk",
  async (path) => {
    const client = new OldClient({ name: "vend-test", version: "1" });
    await client.connect(new OldTransport(new URL(url + path), { requestInit }));
    return client;
  },
  oldCall,
);
