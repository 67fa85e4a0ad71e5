import { expect, test } from "vitest";
import type { Schemas } from "../../../api/client.ts";
import { effectiveText, scalingChange, scalingFields, textsOf } from "./scaling.ts";

const effective = {
  min_instances: 0,
  max_instances: 2,
  idle_timeout: 300,
  scale_down_delay: 60,
  on_demand: false,
  concurrency: 1,
  target: 100,
  fast_start: true,
  snapshot: true,
  retry_safe: true,
  network: "outbound",
} as const;
const scaling: Schemas["Scaling"] = {
  min_instances: null,
  max_instances: 2,
  idle_timeout: 0.5,
  scale_down_delay: null,
  on_demand: false,
  concurrency: null,
  target: null,
  fast_start: null,
  snapshot: null,
  retry_safe: null,
  network: null,
  effective,
};

test("what follows the server is empty", () => {
  expect(textsOf(scaling)).toMatchObject({ min_instances: "", max_instances: "2", idle_timeout: "0.5", on_demand: "false" });
});

test("only changes are sent", () => {
  const before = textsOf(scaling);
  expect(scalingChange(before, before)).toEqual({});
  const after = { ...before, min_instances: "1", max_instances: "", on_demand: "true", target: " 80 ", retry_safe: "false", network: "none" };
  expect(scalingChange(before, after)).toEqual({
    min_instances: 1,
    max_instances: null,
    on_demand: true,
    target: 80,
    retry_safe: false,
    network: "none",
  });
});

test("every member has a field", () => {
  expect(scalingFields.map((field) => field.name).sort()).toEqual(Object.keys(effective).sort());
  expect(scalingFields.map((field) => effectiveText(scaling, field))).toEqual([
    "0", "2", "300", "60", "off", "1", "100", "on", "on", "on", "outbound",
  ]);
});
