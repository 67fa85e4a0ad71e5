import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { javascriptLiteral, pythonLiteral, shellWord } from "./literal.ts";
import { languages, setup, snippets, type Kind } from "./snippets.ts";

const hostile = {
  text: `it's "quoted" \\ $HOME \`id\` \n  and 🦊 \u2028`,
  "a key": [1, -0.5, true, null, [], {}],
  __proto: { deep: "x" },
};
const call = { origin: "http://127.0.0.1:8363", ref: "lab/echo", input: hostile };
const kinds: Kind[] = ["run", "stream", "webhook", "wait"];

describe("literals", () => {
  it("are read by Python as the same value", () => {
    const code = `import json; print(json.dumps(${pythonLiteral(hostile)}))`;
    expect(JSON.parse(execFileSync("python3", ["-c", code], { encoding: "utf8" }))).toEqual(hostile);
  });

  it("are read by JavaScript as the same value", () => {
    expect(new Function(`return ${javascriptLiteral(hostile)}`)()).toEqual(hostile);
  });

  it("are one word of the shell", () => {
    for (const text of [hostile.text, "", "plain", "-x", "a b"]) {
      expect(execFileSync("sh", ["-c", `printf %s ${shellWord(text)}`], { encoding: "utf8" })).toBe(text);
    }
  });
});

describe("snippets", () => {
  it("name the address and the model in every language", () => {
    for (const kind of kinds) {
      for (const { id } of languages) {
        const code = `${setup(id, call.origin)}\n${snippets(kind, id, call)}`;
        expect(code).toContain(call.origin);
        expect(code).toContain("lab/echo");
      }
    }
  });

  it("send a body that curl passes on unchanged", () => {
    const code = snippets("webhook", "curl", call).replace("curl", `curl() { for a; do :; done; printf %s "$a"; }; curl`);
    const body = JSON.parse(execFileSync("sh", ["-c", code], { encoding: "utf8" }));
    expect(body).toEqual({ input: hostile, webhook: expect.any(String), webhook_events_filter: ["completed"] });
  });

  it("name a version by the general address", () => {
    const code = snippets("run", "curl", { ...call, ref: "lab/echo:abc", input: {} });
    expect(code).toContain("/v1/predictions");
    expect(code).toContain(`"version": "lab/echo:abc"`);
  });

  it("keep a leading @ of a text from vend", () => {
    expect(snippets("run", "vend", { ...call, input: { text: "@home", n: 2, tags: ["a"] } })).toBe(
      `vend run lab/echo \\\n  text=@@home \\\n  n=2 \\\n  'tags=["a"]'\n`,
    );
  });

  it("read pieces as they come", () => {
    expect(snippets("stream", "javascript", call)).toContain("for await (const event of replicate.stream(");
    expect(snippets("stream", "python", call)).toContain("for event in replicate.stream(");
    expect(snippets("stream", "curl", call)).toContain("urls.stream");
  });
});
