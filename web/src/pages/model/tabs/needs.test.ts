import { expect, test } from "vitest";
import type { Schemas } from "../../../api/client.ts";
import type { Session } from "../../../api/session.ts";
import { meets } from "./needs.ts";

function model(schemas: Record<string, unknown>): Schemas["Model"] {
  return {
    url: "http://localhost/lab/echo",
    owner: "lab",
    name: "echo",
    visibility: "public",
    run_count: 0,
    created_at: "2026-01-01T00:00:00Z",
    latest_version: { id: "v", created_at: "", cog_version: "", openapi_schema: { components: { schemas } } },
  };
}

const session = (username: string, ...scopes: Session["scopes"]): Session => ({ username, type: "user", scopes });
const plain = model({});
const trainable = model({ TrainingInput: { type: "object" } });

test.each([
  [{}, plain, null, true],
  [{ owner: true }, plain, null, false],
  [{ owner: true }, plain, session("other", "admin"), false],
  [{ owner: true, scope: "push" }, plain, session("lab", "read"), false],
  [{ owner: true, scope: "push" }, plain, session("lab", "push"), true],
  [{ owner: true, scope: "push" }, plain, session("lab", "admin"), true],
  [{ training: true }, plain, session("lab", "admin"), false],
  [{ training: true }, trainable, null, true],
  [{ training: true }, { ...trainable, latest_version: null }, null, false],
] as const)("%j %#", (needs, of, seen, met) => {
  expect(meets(needs, of, seen)).toBe(met);
});
