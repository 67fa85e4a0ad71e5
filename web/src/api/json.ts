/**
 * JSON whose integers keep their digits: those that a double cannot hold are bigint. Browsers that do not
 * show the source of a number (JSON.parse with a context) round them, as they do everywhere.
 */

type Reviver = (this: unknown, key: string, value: unknown, context?: { source?: string }) => unknown;
const parse = JSON.parse as (text: string, reviver: Reviver) => unknown;

const isWhole = (text: string) => /^-?\d+$/.test(text);

export function fromJson(text: string): unknown {
  // The reviver is asked for each value, which takes long; short numbers need none.
  if (!/\d{16}/.test(text)) return JSON.parse(text) as unknown;
  return parse(text, (_key, value, context) => {
    if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
    const source = context?.source ?? "";
    return isWhole(source) ? BigInt(source) : value;
  });
}

/** Stands for a bigint until the text is made; no text of a model begins with this. */
const MARK = "\u0000bigint:";
const marked = /"\\u0000bigint:(-?\d+)"/g;

export function toJson(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? `${MARK}${item}` : item), indent) as string | undefined;
  return text === undefined ? "null" : text.replace(marked, "$1");
}

/** The number that a text says, with all its digits where it is whole. */
export function numberOf(text: string): number | bigint {
  const value = Number(text);
  return isWhole(text) && !Number.isSafeInteger(value) ? BigInt(text) : value;
}
