import { describe, expect, it } from "vitest";
import { fieldsOf } from "./schema.ts";
import { defaultsOf, emptyOf, errorsByField, moved, numberFrom, parseInput, valuesOf, without, withoutSecrets } from "./values.ts";

const openapi = {
  components: {
    schemas: {
      Input: {
        required: ["text", "picture"],
        properties: {
          anything: { "x-order": 9 },
          text: { type: "string", title: "Text", description: "What", "x-order": 0 },
          count: { type: "integer", minimum: 1, maximum: 10, default: 3, "x-order": 1 },
          color: { allOf: [{ $ref: "#/components/schemas/color" }], default: "red", description: "Which", "x-order": 2 },
          picture: { type: "string", format: "uri", "x-order": 3 },
          pictures: { type: "array", items: { type: "string", format: "uri" }, "x-order": 4 },
          key: { type: "string", format: "password", "x-cog-secret": true, nullable: true, default: null, "x-order": 5 },
          maybe: { anyOf: [{ type: "number" }, { type: "null" }], "x-order": 6 },
          tags: { type: "array", items: { type: "string" }, default: ["a"], "x-order": 7 },
          seed: { type: "integer", nullable: true, deprecated: true, "x-order": 8 },
          options: { type: "object", "x-order": 10 },
        },
      },
      color: { enum: ["red", "green"], type: "string", description: "An enumeration." },
    },
  },
};
const fields = fieldsOf(openapi);
const field = (name: string) => {
  const found = fields.find((f) => f.name === name);
  if (found === undefined) throw new Error(`no field ${name}`);
  return found;
};

describe("fields of a schema", () => {
  it("come in the order of the model", () => {
    expect(fields.map((f) => f.name)).toEqual([
      "text", "count", "color", "picture", "pictures", "key", "maybe", "tags", "seed", "anything", "options",
    ]);
  });

  it("have a shape and a type to show", () => {
    expect(Object.fromEntries(fields.map((f) => [f.name, `${f.shape} ${f.type}`]))).toEqual({
      text: "text string",
      count: "integer integer",
      color: "choice string",
      picture: "file file",
      pictures: "files file[]",
      key: "secret secret",
      maybe: "number number",
      tags: "list string[]",
      seed: "integer integer",
      anything: "json any",
      options: "json object",
    });
  });

  it("know bounds, choices, null, required and deprecated", () => {
    expect(field("count")).toMatchObject({ minimum: 1, maximum: 10, default: 3, isRequired: false });
    expect(field("color")).toMatchObject({ choices: ["red", "green"], description: "Which", default: "red" });
    expect(field("maybe")).toMatchObject({ isNullable: true, hasDefault: false });
    expect(field("key")).toMatchObject({ isNullable: true, hasDefault: false });
    expect(field("text").isRequired).toBe(true);
    expect(field("seed")).toMatchObject({ isSeed: true, isDeprecated: true });
  });

  it("are none where the schema is broken", () => {
    for (const broken of [null, 1, {}, { components: { schemas: { Input: [] } } }]) expect(fieldsOf(broken)).toEqual([]);
  });

  it("end at a reference to itself", () => {
    const loop = { components: { schemas: { Input: { properties: { a: { $ref: "#/components/schemas/a" } } }, a: { $ref: "#/components/schemas/a" } } } };
    expect(fieldsOf(loop)).toHaveLength(1);
  });
});

describe("values", () => {
  it("begin with the defaults alone", () => {
    expect(defaultsOf(fields)).toEqual({ count: 3, color: "red", tags: ["a"] });
  });

  it("leave out a field and keep unknown names", () => {
    expect(without({ count: 3, other: 1 }, "count")).toEqual({ other: 1 });
  });

  it("of an earlier run ask again for secrets", () => {
    expect(valuesOf({ text: "***", key: "**********", other: 1 }, fields)).toEqual({ text: "***", other: 1 });
  });

  it("show no secret", () => {
    expect(withoutSecrets({ key: "hunter2", text: "a" }, fields)).toEqual({ key: "<key>", text: "a" });
  });

  it("of an included field are empty or the default", () => {
    expect(emptyOf(field("text"))).toBe("");
    expect(emptyOf(field("maybe"))).toBe(null);
    expect(emptyOf(field("pictures"))).toEqual([]);
    expect(emptyOf(field("count"))).toBe(3);
  });

  it("keep what is not a number for the API to refuse", () => {
    expect(numberFrom(" 1e3 ")).toBe(1000);
    expect(numberFrom("1.5x")).toBe("1.5x");
    expect(numberFrom("")).toBe("");
  });

  it("are an object in JSON", () => {
    expect(parseInput('{"a": 1}')).toEqual({ ok: true, values: { a: 1 } });
    expect(parseInput("[1]").ok).toBe(false);
    expect(parseInput("{").ok).toBe(false);
  });

  it("of a list can be moved", () => {
    expect(moved(["a", "b", "c"], 0, 2)).toEqual(["b", "c", "a"]);
    expect(moved(["a", "b"], 0, -1)).toEqual(["a", "b"]);
  });
});

describe("errors of the API", () => {
  it("stand at the field that they name", () => {
    const errors = errorsByField(
      [
        { field: "input.count", description: "Must be less than or equal to 10" },
        { field: "input.tags.0", description: "Invalid type" },
        { field: "input", description: "text is required" },
        { field: "input.other", description: "Odd" },
        { field: "webhook", description: "Bad" },
      ],
      fields,
    );
    expect(errors).toEqual({
      count: ["Must be less than or equal to 10"],
      tags: ["0: Invalid type"],
      text: ["text is required"],
      "": ["input.other: Odd", "Bad"],
    });
  });
});
