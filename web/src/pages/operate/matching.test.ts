import { expect, test } from "vitest";
import { matching, type Setting } from "./matching.ts";

const setting = (name: string, help: string, source: Setting["source"] = "default"): Setting => ({
  name, help, source, type: "text", value: "", default: "",
});
const all = [setting("idle-timeout", "An idle instance stops", "flag"), setting("listen", "Address and port")];
const names = (text: string, onlySet = false) => matching(all, text, onlySet).map(({ name }) => name);

test("settings by words of their name or help", () => {
  expect(names("")).toEqual(["idle-timeout", "listen"]);
  expect(names("IDLE")).toEqual(["idle-timeout"]);
  expect(names("port address")).toEqual(["listen"]);
  expect(names("port idle")).toEqual([]);
  expect(names(" ", true)).toEqual(["idle-timeout"]);
});
