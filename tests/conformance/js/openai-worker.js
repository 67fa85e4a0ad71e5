// The calls of the suite, made with `openai` of npm. The protocol is that of support/client_loop.py.
"use strict";

const readline = require("node:readline");
const OpenAI = require("openai");

function openFile(value) {
  if (value === null || typeof value !== "object" || !("$bytes" in value)) return value;
  return new File([Buffer.from(value.$bytes, "base64")], value.name, { type: value.type });
}

const named = (values) => Object.fromEntries(Object.entries(values).map(([key, value]) => [key, openFile(value)]));

// The method at a path, bound to its resource.
function method(client, path) {
  const names = path.split(".");
  const last = names.pop().replace(/_(.)/g, (_, letter) => letter.toUpperCase());
  const resource = names.reduce((at, name) => at[name], client);
  return resource[last].bind(resource);
}

async function plain(value) {
  if (value?.arrayBuffer) return Buffer.from(await value.arrayBuffer()).toString("base64");
  return value ?? null;
}

async function textOf(stream) {
  let text = "";
  for await (const chunk of stream) text += chunk.choices[0].delta.content ?? "";
  return text;
}

const calls = {
  call: async (client, { path, arguments: given, extra }) => {
    const values = { ...named(given), ...extra };
    const name = { "models.retrieve": "model", "videos.retrieve": "video_id", "videos.download_content": "video_id" }[path];
    const made = await (name ? method(client, path)(given[name]) : method(client, path)(values));
    if (!given.stream) return plain(made.data && path === "models.list" ? { data: made.data } : made);
    const pieces = [];
    for await (const piece of made) pieces.push(piece);
    return pieces;
  },
  output_text: async (client, given) => (await client.responses.create(given)).output_text,
  first_chunk: async (client, given) => {
    const stream = await client.chat.completions.create({ ...given, ...given.extra_body, stream: true });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) return chunk;
  },
  error: async (client, { path, arguments: given }) => {
    try {
      return await method(client, path)(given.extra_body ? { ...given, ...given.extra_body } : given);
    } catch (error) {
      const { status, code, param, message } = error;
      return { type: error.constructor.name, status, code, param, message, id: error.requestID };
    }
  },
  stream_error: async (client, given) => {
    const stream = await client.chat.completions.create({ ...given, ...given.extra_body, stream: true });
    let text = "";
    try {
      for await (const chunk of stream) text += chunk.choices[0].delta.content ?? "";
    } catch (error) {
      return { text, type: error.constructor.name, message: error.message };
    }
    return null;
  },
};

async function answer(line) {
  const { call, client, arguments: given } = JSON.parse(line);
  const { url, token, max_retries: maxRetries, ...options } = client;
  try {
    const made = new OpenAI({ baseURL: `${url}/openai/v1`, apiKey: token, maxRetries, ...options });
    return { value: await calls[call](made, given) };
  } catch (error) {
    return { error: { type: error.constructor.name, status: error.status ?? null, message: error.message } };
  }
}

async function main() {
  // Global from Node 20 on.
  globalThis.File ??= require("node:buffer").File;
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await answer(line))}\n`);
  }
}

main();
