import { describe, expect, test } from "vitest";
import { diffSchemas } from "./diff.ts";
import { outputType, propertiesOf } from "./facts.ts";

type Node = Record<string, unknown>;

function schema(properties: Node, more: { required?: string[]; output?: Node; others?: Node } = {}) {
  return {
    components: {
      schemas: {
        Input: { type: "object", properties, required: more.required ?? [] },
        Output: more.output ?? { type: "string" },
        ...more.others,
      },
    },
  };
}

const text = { type: "string", "x-order": 0 };

describe("diffSchemas", () => {
  test("the same schema has no differences", () => {
    const whole = schema({ text, size: { type: "integer", minimum: 1, default: 2 } }, { required: ["text"] });
    expect(diffSchemas(whole, structuredClone(whole))).toEqual([]);
  });

  test("an input that came, and one that went", () => {
    expect(diffSchemas(schema({ text }), schema({ seed: { type: "integer", default: 0 } }))).toMatchObject([
      { component: "Input", name: "text", kind: "removed", isBreaking: true },
      {
        component: "Input",
        name: "seed",
        kind: "added",
        isBreaking: false,
        changes: expect.arrayContaining([{ what: "default", before: null, after: "0" }]),
      },
    ]);
  });

  test("a new required input breaks calls", () => {
    const [difference] = diffSchemas(schema({}), schema({ text }, { required: ["text"] }));
    expect(difference).toMatchObject({ kind: "added", isBreaking: true });
  });

  test.each([
    ["a higher minimum", { type: "integer", minimum: 1 }, { type: "integer", minimum: 2 }, true],
    ["a lower minimum", { type: "integer", minimum: 2 }, { type: "integer", minimum: 1 }, false],
    ["a maximum that went", { type: "integer", maximum: 2 }, { type: "integer" }, false],
    ["a maximum that came", { type: "integer" }, { type: "integer", maximum: 2 }, true],
    ["a shorter text", { type: "string", maxLength: 9 }, { type: "string", maxLength: 8 }, true],
    ["another type", { type: "integer" }, { type: "string" }, true],
    ["another default", { type: "integer", default: 1 }, { type: "integer", default: 2 }, false],
    ["another description", { type: "string", description: "a" }, { type: "string", description: "b" }, false],
    ["one choice more", { type: "string", enum: ["a"] }, { type: "string", enum: ["a", "b"] }, false],
    ["one choice less", { type: "string", enum: ["a", "b"] }, { type: "string", enum: ["b"] }, true],
    ["a choice that holds a comma", { type: "string", enum: ["a, b", "a"] }, { type: "string", enum: ["a, b"] }, true],
    ["null not allowed any more", { type: "string", nullable: true }, { type: "string" }, true],
  ])("%s", (_, before, after, isBreaking) => {
    expect(diffSchemas(schema({ it: before }), schema({ it: after }))).toMatchObject([
      { component: "Input", name: "it", kind: "changed", isBreaking },
    ]);
  });

  test("choices behind a reference", () => {
    const of = (...choices: string[]) =>
      schema({ mode: { allOf: [{ $ref: "#/components/schemas/mode" }] } }, { others: { mode: { type: "string", enum: choices } } });
    expect(diffSchemas(of("a", "b"), of("a", "c"))).toMatchObject([
      { name: "mode", isBreaking: true, changes: [{ what: "choices", before: '"a", "b"', after: '"a", "c"' }] },
    ]);
  });

  test("the order of inputs is no difference", () => {
    const other = { type: "string", "x-order": 1 };
    const moved = schema({ text: { ...text, "x-order": 2 }, other });
    expect(diffSchemas(schema({ text, other }), moved)).toEqual([]);
  });

  test("another output", () => {
    const after = schema({}, { output: { type: "array", items: { type: "string" }, "x-cog-array-type": "iterator" } });
    expect(diffSchemas(schema({}), after)).toEqual([
      {
        component: "Output",
        name: null,
        kind: "changed",
        isBreaking: true,
        changes: [{ what: "type", before: "string", after: "stream of string" }],
      },
    ]);
  });

  test("a version that learnt to train", () => {
    const after = schema({}, { others: { TrainingInput: { type: "object", properties: { steps: { type: "integer" } } } } });
    expect(diffSchemas(schema({}), after)).toMatchObject([
      { component: "TrainingInput", name: null, kind: "added", isBreaking: false },
      { component: "TrainingInput", name: "steps", kind: "added", isBreaking: false },
    ]);
  });

  test("texts that are no schema", () => {
    for (const broken of [null, {}, { components: [] }, { components: { schemas: { Input: 3, Output: [] } } }]) {
      expect(diffSchemas(broken, broken)).toEqual([]);
    }
  });
});

describe("propertiesOf", () => {
  test("secrets show no default", () => {
    const secret = { type: "string", format: "password", default: "hunter2" };
    expect(propertiesOf(schema({ key: secret }), "Input")[0]?.facts).toEqual({});
  });
});

test.each([
  [{ type: "string" }, "string"],
  [{ type: "string", format: "uri" }, "file"],
  [{ type: "array", items: { type: "string", format: "uri" } }, "file[]"],
  [{ type: "array", items: { type: "string", format: "uri" }, "x-cog-array-type": "iterator" }, "stream of file"],
  [{ type: "object", properties: {} }, "object"],
  [{}, "any"],
])("the output %j is %s", (output, type) => {
  expect(outputType(schema({}, { output }))).toBe(type);
});
