import { expect, it, vi } from "vitest";

vi.stubGlobal("location", { origin: "http://host" });
const { cursorOf, following } = await import("./pages.ts");

const same = (row: string) => row;

it("reads the cursor of the next page", () => {
  expect(cursorOf("http://host/v1/files?cursor=MTc%3D")).toBe("MTc=");
  expect(cursorOf(null)).toBeNull();
});

it("keeps the rows behind a newer first page", () => {
  expect(following([..."cdefg"], [..."abcd"], same)).toEqual(["e", "f", "g"]);
  expect(following([..."ab"], [..."ab"], same)).toEqual([]);
});

it("drops rows that were deleted from the first page", () => {
  expect(following([..."abcdef"], [..."acd"], same)).toEqual(["e", "f"]);
});

it("begins anew when rows may lie between", () => {
  expect(following([..."xyz"], [..."abcd"], same)).toBeNull();
  expect(following([..."xyz"], [], same)).toBeNull();
});
