/** The values of a form: the input of a run. A name that is absent is not sent, which is not the same as an empty value. */
import { fromJson, numberOf } from "../api/json.ts";
import type { Field } from "./schema.ts";

export type Values = Record<string, unknown>;

const MASK = /^\*+$/;

/** What a form begins with: defaults where there are some, nothing else. */
export function defaultsOf(fields: readonly Field[]): Values {
  const values: Values = {};
  for (const field of fields) {
    if (field.hasDefault && field.shape !== "secret") values[field.name] = structuredClone(field.default);
  }
  return values;
}

/** The input of an earlier run. Secrets come back masked, so they are asked for again. */
export function valuesOf(input: Values, fields: readonly Field[]): Values {
  const secrets = new Set(fields.filter((f) => f.shape === "secret").map((f) => f.name));
  return Object.fromEntries(
    Object.entries(input).filter(([name, value]) => !(secrets.has(name) && typeof value === "string" && MASK.test(value))),
  );
}

export function withValue(values: Values, name: string, value: unknown): Values {
  return { ...values, [name]: value };
}

export function without(values: Values, name: string): Values {
  const { [name]: _gone, ...rest } = values;
  return rest;
}

/** What a field gets when it is included without a default. */
export function emptyOf(field: Field): unknown {
  if (field.hasDefault) return structuredClone(field.default);
  switch (field.shape) {
    case "boolean":
      return false;
    case "files":
    case "list":
      return [];
    case "choice":
      return field.choices[0] ?? "";
    case "integer":
    case "number":
      return field.isNullable ? null : (field.minimum ?? 0);
    case "json":
      return null;
    case "file":
      return field.isNullable ? null : "";
    case "text":
    case "secret":
      return "";
  }
}

/** Values for a snippet or a draft: secrets are never shown. */
export function withoutSecrets(values: Values, fields: readonly Field[]): Values {
  const shown = { ...values };
  for (const field of fields) {
    if (field.shape === "secret" && typeof shown[field.name] === "string") shown[field.name] = `<${field.name}>`;
  }
  return shown;
}

/** A number as a person types it: the number, or the text itself, which the API then refuses in its own words. */
export function numberFrom(text: string): number | bigint | string {
  const trimmed = text.trim();
  return trimmed === "" || !Number.isFinite(Number(trimmed)) ? trimmed : numberOf(trimmed);
}

export type Parsed = { ok: true; value: unknown } | { ok: false; message: string };

export function parseJson(text: string): Parsed {
  try {
    return { ok: true, value: fromJson(text) };
  } catch (error) {
    return { ok: false, message: `This is not valid JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** The whole input as JSON; unknown names are kept. */
export function parseInput(text: string): { ok: true; values: Values } | { ok: false; message: string } {
  const parsed = parseJson(text);
  if (!parsed.ok) return parsed;
  if (typeof parsed.value !== "object" || parsed.value === null || Array.isArray(parsed.value)) {
    return { ok: false, message: "The input is an object: {\"name\": value}." };
  }
  return { ok: true, values: parsed.value as Values };
}

export interface InvalidField {
  field: string;
  description: string;
}

/** The sentences of the API by the field that they name; those of no field are under "". */
export function errorsByField(invalid: readonly InvalidField[], fields: readonly Field[]): Record<string, string[]> {
  const names = new Set(fields.map((field) => field.name));
  const errors: Record<string, string[]> = {};
  for (const { field, description } of invalid) {
    const [, ...path] = field.split(".");
    let name = path[0] ?? "";
    // A missing input is told at the whole input: "count is required".
    if (name === "") name = /^(\S+) is required$/.exec(description)?.[1] ?? "";
    const place = path.slice(1).join(".");
    const key = names.has(name) ? name : "";
    (errors[key] ??= []).push(key === "" && path.length > 0 ? `${field}: ${description}` : place === "" ? description : `${place}: ${description}`);
  }
  return errors;
}

/** An item of a list in another place. */
export function moved<Item>(list: readonly Item[], from: number, to: number): Item[] {
  const result = [...list];
  if (to < 0 || to >= list.length) return result;
  const [item] = result.splice(from, 1);
  if (item !== undefined) result.splice(to, 0, item);
  return result;
}
