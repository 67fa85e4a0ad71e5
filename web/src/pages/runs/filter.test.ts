import { describe, expect, it } from "vitest";
import { filterOf, isReference } from "./filter.ts";

const of = (text: string, kind: "predictions" | "trainings" = "predictions") => filterOf(kind, new URLSearchParams(text));
const id = "0a".repeat(32);

describe("the filter of an address", () => {
  it("has what the API takes", () => {
    expect(of(`status=failed&model=lab/echo&version=${id}&deployment=lab/d&source=web`)).toEqual({
      status: "failed", model: "lab/echo", version: id, deployment: "lab/d", source: "web",
    });
    expect(of("after=2026-01-02").created_after).toBe(new Date("2026-01-02T00:00").toISOString());
    expect(of("before=2026-01-02").created_before).toBe(new Date("2026-01-02T00:00").toISOString());
  });
  it("leaves out what the API would refuse", () => {
    expect(of("status=done&model=echo&version=0a&deployment=a/b/c&source=api&after=yesterday")).toEqual({});
  });
  it("of trainings has no deployment", () => {
    expect(of("deployment=lab/d&model=lab/trainer", "trainings")).toEqual({ model: "lab/trainer" });
  });
});

it("a reference is owner/name", () => {
  expect(["a/b", " a/b ", "a.b/c-d"].every(isReference)).toBe(true);
  expect(["", "a", "a/", "/b", "a/b/c", "a/b:c", "a b/c"].some(isReference)).toBe(false);
});
