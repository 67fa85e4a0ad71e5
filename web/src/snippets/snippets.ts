/** The same call in each language, for pasting. */
import { toJson } from "../api/json.ts";
import { javascriptLiteral, pythonLiteral, shellWord } from "./literal.ts";

export type Kind = "run" | "stream" | "webhook" | "wait";
export type Language = "python" | "javascript" | "curl" | "vend";

export interface Call {
  /** Of this server, such as https://models.example.com */
  origin: string;
  /** owner/name or owner/name:version */
  ref: string;
  input: Record<string, unknown>;
}

export const languages: readonly { id: Language; label: string }[] = [
  { id: "python", label: "Python" },
  { id: "javascript", label: "JavaScript" },
  { id: "curl", label: "curl" },
  { id: "vend", label: "vend" },
];

const WEBHOOK = "https://example.com/webhook";

/** What is done once: the client, the address and the token. */
export function setup(language: Language, origin: string): string {
  const token = `REPLICATE_API_TOKEN='<your token>'`;
  switch (language) {
    case "python":
      return `pip install replicate\nexport REPLICATE_BASE_URL=${origin} ${token}`;
    case "javascript":
      return `npm install replicate\nexport ${token}`;
    case "curl":
      return `export ${token}`;
    case "vend":
      return `export VEND_URL=${origin} VEND_API_TOKEN='<your token>'`;
  }
}

export function snippets(kind: Kind, language: Language, call: Call): string {
  return writers[language](kind, call);
}

function python(kind: Kind, { origin, ref, input }: Call): string {
  const head = `# Needs: export REPLICATE_BASE_URL=${origin} REPLICATE_API_TOKEN=...\nimport replicate\n\n`;
  const values = pythonLiteral(input, 1);
  const create = (option: string) =>
    `${head}prediction = replicate.predictions.create(\n    version=${pythonLiteral(ref)},\n    input=${values},\n${option})\n`;
  switch (kind) {
    case "run":
      return `${head}output = replicate.run(\n    ${pythonLiteral(ref)},\n    input=${values},\n)\nprint(output)\n`;
    case "stream":
      return `${head}for event in replicate.stream(\n    ${pythonLiteral(ref)},\n    input=${values},\n):\n    print(str(event), end="", flush=True)\n`;
    case "webhook":
      return `${create(`    webhook="${WEBHOOK}",\n    webhook_events_filter=["completed"],\n`)}print(prediction.id)\n`;
    case "wait":
      return `${create("    wait=60,\n")}print(prediction.status, prediction.output)\n`;
  }
}

function javascript(kind: Kind, { origin, ref, input }: Call): string {
  const head = `import Replicate from "replicate";\n\nconst replicate = new Replicate({ baseUrl: ${javascriptLiteral(`${origin}/v1`)} });\n\n`;
  const name = javascriptLiteral(ref);
  const create = (option: string) =>
    `${head}const prediction = await replicate.predictions.create({\n  version: ${name},\n  input: ${javascriptLiteral(input, 1)},\n${option}});\n`;
  switch (kind) {
    case "run":
      return `${head}const output = await replicate.run(${name}, {\n  input: ${javascriptLiteral(input, 1)},\n});\nconsole.log(output);\n`;
    case "stream":
      return `${head}for await (const event of replicate.stream(${name}, {\n  input: ${javascriptLiteral(input, 1)},\n})) {\n  process.stdout.write(String(event));\n}\n`;
    case "webhook":
      return `${create(`  webhook: "${WEBHOOK}",\n  webhook_events_filter: ["completed"],\n`)}console.log(prediction.id);\n`;
    case "wait":
      return `${create("  wait: 60,\n")}console.log(prediction.status, prediction.output);\n`;
  }
}

function curl(kind: Kind, { origin, ref, input }: Call): string {
  const body: Record<string, unknown> = ref.includes(":") ? { version: ref, input } : { input };
  if (kind === "webhook") Object.assign(body, { webhook: WEBHOOK, webhook_events_filter: ["completed"] });
  const path = ref.includes(":") ? "predictions" : `models/${ref}/predictions`;
  const lines = [
    shellWord(`${origin}/v1/${path}`),
    `-H "Authorization: Bearer $REPLICATE_API_TOKEN"`,
    `-H "Content-Type: application/json"`,
    ...(kind === "run" ? [`-H "Prefer: wait"`] : kind === "wait" ? [`-H "Prefer: wait=60"`] : []),
    `-d ${shellWord(toJson(body, 2))}`,
  ];
  const create = `curl -s ${lines.join(" \\\n  ")}`;
  return kind === "stream" ? `url=$(${create} | jq -r .urls.stream)\ncurl -sN "$url"\n` : `${create}\n`;
}

/** A value as `vend run` reads it. */
function vendWord(name: string, value: unknown): string {
  if (typeof value !== "string") return shellWord(`${name}=${toJson(value)}`);
  return shellWord(`${name}=${value.startsWith("@") ? "@" : ""}${value}`);
}

function vend(kind: Kind, { ref, input }: Call): string {
  const option = kind === "webhook" ? "--no-wait " : kind === "wait" ? "--timeout 60s " : "";
  const words = Object.entries(input).map(([name, value]) => vendWord(name, value));
  const head = kind === "webhook" ? "# The command line sends no webhooks; this prints the id and exits.\n" : "";
  return `${head}vend run ${option}${[shellWord(ref), ...words].join(" \\\n  ")}\n`;
}

const writers: Record<Language, (kind: Kind, call: Call) => string> = { python, javascript, curl, vend };
