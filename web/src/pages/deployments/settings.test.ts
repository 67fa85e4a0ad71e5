import { expect, it } from "vitest";
import { changesOf, ownSettings, readSettings } from "./settings.ts";

function form(values: Record<string, string>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(values)) data.set(name, value);
  return data;
}

const given = { hardware: "cpu", min_instances: "1", max_instances: "3", idle_timeout: " 60 ", concurrency: "", on_demand: "no", snapshot: "server", network: "none" };

it("reads numbers, switches and the server's settings", () => {
  expect(readSettings(form(given))).toMatchObject({
    hardware: "cpu",
    min_instances: 1,
    max_instances: 3,
    idle_timeout: 60,
    concurrency: null,
    on_demand: false,
    snapshot: null,
    retry_safe: null,
    network: "none",
  });
});

it("finds what changes", () => {
  const now = { hardware: "cpu", min_instances: 1, max_instances: 2, idle_timeout: 60, concurrency: 4 };
  expect(changesOf(now, readSettings(form(given)))).toEqual({ max_instances: 3, concurrency: null, on_demand: false, network: "none" });
});

it("finds no change where there is none", () => {
  const now = { hardware: "cpu", min_instances: 1, max_instances: 3, idle_timeout: 60, on_demand: false, network: "none" } as const;
  expect(changesOf(now, readSettings(form(given)))).toEqual({});
});

it("leaves out the server's settings", () => {
  expect(ownSettings(readSettings(form(given)))).toEqual({ hardware: "cpu", min_instances: 1, max_instances: 3, idle_timeout: 60, on_demand: false, network: "none" });
});
