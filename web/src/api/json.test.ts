import { describe, expect, it } from "vitest";
import { fromJson, numberOf, toJson } from "./json.ts";

const hasSource = (() => {
  let seen = false;
  (JSON.parse as (text: string, reviver: (k: string, v: unknown, c?: { source?: string }) => unknown) => unknown)("1", (_k, v, context) => {
    seen = context?.source === "1";
    return v;
  });
  return seen;
})();

describe("JSON", () => {
  const text = '{"seed":18446744073709551615,"low":-9223372036854775808,"n":[1,2.5,1e300],"t":"18446744073709551615"}';
  it.runIf(hasSource)("keeps the digits of integers", () => {
    expect(fromJson(text)).toEqual({ seed: 18446744073709551615n, low: -9223372036854775808n, n: [1, 2.5, 1e300], t: "18446744073709551615" });
    expect(toJson(fromJson('{"a":9007199254740993}'))).toBe('{"a":9007199254740993}');
  });
  it("is the same as ever for all else", () => {
    expect(fromJson('{"a":[1,null,true,"x",9007199254740991]}')).toEqual({ a: [1, null, true, "x", 9007199254740991] });
    expect(toJson({ a: [1, "x", null] }, 2)).toBe(JSON.stringify({ a: [1, "x", null] }, null, 2));
    expect(toJson(undefined)).toBe("null");
    expect(() => fromJson("{")).toThrow();
  });
  it("writes big integers as numbers", () => {
    expect(toJson({ seed: 18446744073709551615n, at: [-5n] })).toBe('{"seed":18446744073709551615,"at":[-5]}');
    expect(toJson('"\\u0000bigint:1"')).toBe('"\\"\\\\u0000bigint:1\\""');
  });
  it("reads what a person types", () => {
    expect(numberOf("9007199254740993")).toBe(9007199254740993n);
    expect(numberOf("12")).toBe(12);
    expect(numberOf("1e3")).toBe(1000);
    expect(numberOf("-9223372036854775808")).toBe(-9223372036854775808n);
  });
});
