// The calls of the suite, made with `replicate` of npm. The protocol is that of support/client_loop.py.
"use strict";

const readline = require("node:readline");
const { validateWebhook } = require("replicate");
const Replicate = require("replicate");

const isFile = (value) => value instanceof ReadableStream;

function openFiles(value) {
  if (Array.isArray(value)) return value.map(openFiles);
  if (value === null || typeof value !== "object") return value;
  if ("$file" in value) {
    return new File([value.$file], value.name ?? "input.txt", { type: "text/plain" });
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, openFiles(item)]));
}

async function readFiles(value) {
  if (isFile(value)) return { file: String(value), text: await (await value.blob()).text() };
  if (Array.isArray(value)) return Promise.all(value.map(readFiles));
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).map(async ([key, item]) => [key, await readFiles(item)]);
  return Object.fromEntries(await Promise.all(entries));
}

async function results(page) {
  return (await page).results;
}

async function every(client, endpoint, name) {
  const found = [];
  for await (const page of client.paginate(endpoint)) found.push(...page.map((item) => item[name]));
  return found;
}

const running = {
  run: async (client, { ref, ...options }) => readFiles(await client.run(ref, options)),
  abort: async (client, { ref, after, ...options }) => {
    const controller = new AbortController();
    const seen = [];
    const wait = { mode: "poll", interval: 50 };
    await client.run(ref, { ...options, wait, signal: controller.signal }, (prediction) => {
      seen.push(prediction);
      if (prediction.status === after) controller.abort();
    });
    return seen.at(-1);
  },
  stream: async (client, { ref, ...options }) => {
    const seen = [];
    for await (const { event, data, id } of client.stream(ref, options)) {
      seen.push([event, await readFiles(data), id]);
    }
    return seen;
  },
  create: (client, options) => client.predictions.create(options),
  get: (client, { id }) => client.predictions.get(id),
  wait: async (client, { id }) => client.wait(await client.predictions.get(id), { interval: 100 }),
  cancel: (client, { id }) => client.predictions.cancel(id),
  predictions: (client) => results(client.predictions.list()),
  all_predictions: (client) => every(client, client.predictions.list, "id"),
  all_models: (client) => every(client, client.models.list, "name"),
};

const models = {
  account: (client) => client.accounts.current(),
  models: (client) => results(client.models.list()),
  model: (client, { owner, name }) => client.models.get(owner, name),
  create_model: (client, { owner, name }) =>
    client.models.create(owner, name, { visibility: "private", hardware: "cpu" }),
  versions: (client, { owner, name }) => results(client.models.versions.list(owner, name)),
  version: (client, { owner, name, id }) => client.models.versions.get(owner, name, id),
  search_models: (client, { text }) => results(client.models.search(text)),
  collections: (client) => results(client.collections.list()),
  collection: (client, { slug }) => client.collections.get(slug),
  hardware: (client) => client.hardware.list(),
};

const deployments = {
  deployments: (client) => results(client.deployments.list()),
  deployment: (client, { owner, name }) => client.deployments.get(owner, name),
  create_deployment: (client, options) => client.deployments.create(options),
  update_deployment: (client, { owner, name, ...changes }) =>
    client.deployments.update(owner, name, changes),
  delete_deployment: (client, { owner, name }) => client.deployments.delete(owner, name),
  run_deployment: async (client, { owner, name, input }) =>
    client.wait(await client.deployments.predictions.create(owner, name, { input }), {
      interval: 100,
    }),
};

const trainings = {
  train: (client, { owner, name, version, ...options }) =>
    client.trainings.create(owner, name, version, options),
  training: (client, { id }) => client.trainings.get(id),
  trainings: (client) => results(client.trainings.list()),
  cancel_training: (client, { id }) => client.trainings.cancel(id),
};

const files = {
  upload: (client, { file, metadata }) => client.files.create(file, metadata),
  file: (client, { id }) => client.files.get(id),
  files: (client) => results(client.files.list()),
  delete_file: (client, { id }) => client.files.delete(id),
  secret: async (client) => (await client.webhooks.default.secret.get()).key,
  validate: (client, { headers, body, secret }) => validateWebhook({ headers, body }, secret),
  // What frameworks that parse bodies hand to their users.
  validate_parsed: (client, { headers, body, secret }) =>
    validateWebhook({ headers, body: JSON.parse(body) }, secret),
};

const calls = { ...running, ...models, ...deployments, ...trainings, ...files };

function describe(error) {
  const status = error.response ? error.response.status : null;
  return { type: error.name, status, message: error.message };
}

async function answer(line) {
  const { call, client, arguments: given } = JSON.parse(line);
  const { url, token, ...options } = client;
  try {
    const made = new Replicate({ auth: token, baseUrl: `${url}/v1`, ...options });
    return { value: (await calls[call](made, openFiles(given))) ?? null };
  } catch (error) {
    return { error: describe(error) };
  }
}

async function main() {
  // Global from Node 20 on.
  globalThis.File ??= require("node:buffer").File;
  globalThis.crypto ??= require("node:crypto").webcrypto;
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await answer(line))}\n`);
  }
}

main();
