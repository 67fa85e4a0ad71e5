import { expect, it } from "vitest";
import { archiveNames } from "./names.ts";

it("gives each file a name of its own", () => {
  expect(archiveNames(["a.png", "a.png", "A.png", "b", "b", ""])).toEqual(["a.png", "a-2.png", "A-3.png", "b", "b-2", "file"]);
  expect(archiveNames(["../../x", "a/b.txt", ".hidden", "c:\\d"])).toEqual(["__.._x", "a_b.txt", "_hidden", "c__d"]);
});
