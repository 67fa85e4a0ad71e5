/** The same call through OpenAI's client and by hand, for pasting. */
import { shellWord } from "./literal.ts";

export type OpenaiLanguage = "python" | "curl";

export const openaiLanguages: readonly { id: OpenaiLanguage; label: string }[] = [
  { id: "python", label: "Python" },
  { id: "curl", label: "curl" },
];

export const openaiBase = (origin: string): string => `${origin}/openai/v1`;
export const mcpAddress = (origin: string, name: string): string => `${origin}/mcp/${name}`;

interface Endpoint {
  path: string;
  /** The arguments of the client's method; of a form, where `@` begins the name of a file. */
  body: Record<string, string>;
  method: string;
  result: string;
  isForm?: boolean;
  /** What curl saves the reply as. */
  file?: string;
}

const text = { prompt: "Hello" };

const endpoints: Record<string, Endpoint> = {
  "chat.completions": {
    path: "chat/completions",
    method: "chat.completions.create",
    body: { messages: `[{"role": "user", "content": "Hello"}]` },
    result: "print(reply.choices[0].message.content)",
  },
  completions: { path: "completions", method: "completions.create", body: text, result: "print(reply.choices[0].text)" },
  responses: { path: "responses", method: "responses.create", body: { input: "Hello" }, result: "print(reply.output_text)" },
  embeddings: {
    path: "embeddings",
    method: "embeddings.create",
    body: { input: "Hello" },
    result: "print(len(reply.data[0].embedding))",
  },
  "images.generations": {
    path: "images/generations",
    method: "images.generate",
    body: { prompt: "A lighthouse" },
    result: "print(reply.data[0].url)",
  },
  "images.edits": {
    path: "images/edits",
    method: "images.edit",
    body: { image: "@picture.png", prompt: "At night" },
    result: "print(reply.data[0].url)",
    isForm: true,
  },
  "audio.speech": {
    path: "audio/speech",
    method: "audio.speech.create",
    body: { input: "Hello", voice: "alloy" },
    result: 'reply.write_to_file("speech")',
    file: "speech",
  },
  "audio.transcriptions": {
    path: "audio/transcriptions",
    method: "audio.transcriptions.create",
    body: { file: "@speech.wav" },
    result: "print(reply.text)",
    isForm: true,
  },
  "audio.translations": {
    path: "audio/translations",
    method: "audio.translations.create",
    body: { file: "@speech.wav" },
    result: "print(reply.text)",
    isForm: true,
  },
  videos: { path: "videos", method: "videos.create", body: { prompt: "A lighthouse" }, result: "print(reply.id, reply.status)" },
};

export function openaiSetup(language: OpenaiLanguage, origin: string): string {
  const key = `OPENAI_API_KEY='<your token>'`;
  return language === "python"
    ? `pip install openai\nexport OPENAI_BASE_URL=${openaiBase(origin)} ${key}`
    : `export ${key}`;
}

/** Members that are JSON already stay so. */
const isJson = (value: string): boolean => value.startsWith("[");

function python({ method, body, result }: Endpoint, model: string): string {
  const written = ([name, value]: [string, string]) => {
    if (value.startsWith("@")) return `    ${name}=open(${JSON.stringify(value.slice(1))}, "rb"),\n`;
    return `    ${name}=${isJson(value) ? value : JSON.stringify(value)},\n`;
  };
  const lines = Object.entries(body).map(written).join("");
  const head = "from openai import OpenAI\n\nclient = OpenAI()\n";
  return `${head}reply = client.${method}(\n    model=${JSON.stringify(model)},\n${lines})\n${result}\n`;
}

function curl({ path, body, isForm, file }: Endpoint, model: string, origin: string): string {
  const members = Object.entries({ model, ...body });
  const json = `{${members.map(([name, value]) => `${JSON.stringify(name)}: ${isJson(value) ? value : JSON.stringify(value)}`).join(", ")}}`;
  const lines = [
    shellWord(`${openaiBase(origin)}/${path}`),
    `-H "Authorization: Bearer $OPENAI_API_KEY"`,
    ...(isForm === true
      ? members.map(([name, value]) => `-F ${shellWord(`${name}=${value}`)}`)
      : [`-H "Content-Type: application/json"`, `-d ${shellWord(json)}`]),
    ...(file === undefined ? [] : [`-o ${file}`]),
  ];
  return `curl -s ${lines.join(" \\\n  ")}\n`;
}

/** `name` as the server calls an endpoint; "" for one that is not known here. */
export function openaiSnippet(name: string, language: OpenaiLanguage, origin: string, model: string): string {
  const endpoint = endpoints[name];
  if (endpoint === undefined) return "";
  return language === "python" ? python(endpoint, model) : curl(endpoint, model, origin);
}
