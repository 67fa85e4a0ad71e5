import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { openaiLanguages, openaiSetup, openaiSnippet } from "./openai.ts";

const origin = "http://127.0.0.1:8363";
const names = [
  ["chat.completions", "completions", "responses", "embeddings", "images.generations", "images.edits"],
  ["audio.speech", "audio.transcriptions", "audio.translations", "videos"],
].flat();

describe("calls of OpenAI's endpoints", () => {
  it("name the model, the address and the key", () => {
    for (const name of names) {
      for (const { id } of openaiLanguages) {
        const code = `${openaiSetup(id, origin)}\n${openaiSnippet(name, id, origin, "lab/talk")}`;
        expect(code).toContain(`${origin}/openai/v1`);
        expect(code).toContain("lab/talk");
        expect(code).toContain("OPENAI_API_KEY");
      }
    }
  });

  it("are what Python and the shell can read", () => {
    for (const name of names) {
      const python = openaiSnippet(name, "python", origin, "lab/talk");
      execFileSync("python3", ["-c", "import ast, sys; ast.parse(sys.argv[1])", python]);
      execFileSync("sh", ["-n", "-c", openaiSnippet(name, "curl", origin, "lab/talk")]);
    }
  });

  it("have bodies that are JSON", () => {
    for (const name of names) {
      const body = / -d '(.*)'/.exec(openaiSnippet(name, "curl", origin, "lab/talk"))?.[1];
      if (body !== undefined) expect(JSON.parse(body)).toMatchObject({ model: "lab/talk" });
    }
  });

  it("are empty for an endpoint of a newer server", () => {
    expect(openaiSnippet("moderations", "curl", origin, "lab/talk")).toBe("");
  });
});
