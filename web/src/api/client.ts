/** Calls of the API, typed by its own description (schema.d.ts is generated from /openapi.json). */
import { fromJson, toJson } from "./json.ts";
import createClient, { type Middleware } from "openapi-fetch";
import { noteReachable } from "../ui/online.ts";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

/** A refusal in the API's words. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly title: string = "",
    readonly invalidFields: NonNullable<Schemas["Problem"]["invalid_fields"]> = [],
  ) {
    super(message);
  }
}

type Listener = () => void;
const unauthorized = new Set<Listener>();
const upgraded = new Set<Listener>();
let build: string | null = null;

/** Called when a request was refused for want of a session. */
export function onUnauthorized(listener: Listener): () => void {
  unauthorized.add(listener);
  return () => unauthorized.delete(listener);
}

/** Called when the server has a newer page than this one. */
export function onUpgrade(listener: Listener): () => void {
  upgraded.add(listener);
  return () => upgraded.delete(listener);
}

const watch: Middleware = {
  onError() {
    noteReachable(false);
  },
  onResponse({ response }) {
    noteReachable(true);
    const seen = response.headers.get("vend-web-build");
    if (seen !== null) {
      if (build !== null && build !== seen) for (const listener of upgraded) listener();
      build ??= seen;
    }
    if (response.status === 401) for (const listener of unauthorized) listener();
  },
};

/** Replies with all digits of their numbers. */
async function fetchExact(request: Request): Promise<Response> {
  const response = await fetch(request);
  response.json = async () => fromJson(await response.text());
  return response;
}

export const api = createClient<paths>({
  baseUrl: location.origin,
  credentials: "same-origin",
  fetch: fetchExact,
  bodySerializer: (body: unknown) => (body instanceof FormData ? body : toJson(body)),
});
api.use(watch);

interface Outcome<Data> {
  data?: Data;
  error?: unknown;
  response: Response;
}

/** The data of a call, or an ApiError. */
export async function must<Data>(call: Promise<Outcome<Data>>): Promise<Data> {
  let outcome: Outcome<Data>;
  try {
    outcome = await call;
  } catch {
    throw new ApiError(0, "The server does not answer. The page tries again by itself.");
  }
  if (!outcome.response.ok) throw problem(outcome.response.status, outcome.error);
  return outcome.data as Data;
}

export function problem(status: number, body: unknown): ApiError {
  const fields = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const title = typeof fields["title"] === "string" ? fields["title"] : "";
  const detail = typeof fields["detail"] === "string" ? fields["detail"] : "";
  const invalid = Array.isArray(fields["invalid_fields"]) ? fields["invalid_fields"] : [];
  return new ApiError(status, detail || title || `The server answered ${status}.`, title, invalid);
}
