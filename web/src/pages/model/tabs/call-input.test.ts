import { expect, test } from "vitest";
import type { Schemas } from "../../../api/client.ts";
import { fieldsOf } from "../../../form/schema.ts";
import { callInput, requiredInput } from "./call-input.ts";

const openapi = {
  components: {
    schemas: {
      Input: {
        properties: {
          text: { type: "string", "x-order": 0 },
          steps: { type: "integer", minimum: 4, "x-order": 1 },
          picture: { type: "string", format: "uri", "x-order": 2 },
          key: { type: "string", format: "password", "x-order": 3 },
          scale: { type: "number", default: 2, "x-order": 4 },
          note: { type: "string", "x-order": 5 },
        },
        required: ["text", "steps", "picture", "key", "scale"],
      },
    },
  },
};
const fields = fieldsOf(openapi);
const model = (input?: Record<string, unknown>) =>
  ({ default_example: input === undefined ? null : { input } }) as unknown as Schemas["Model"];

test("required inputs have a value to replace", () => {
  expect(requiredInput(fields)).toEqual({
    text: "<text>",
    steps: 4,
    picture: "https://example.com/file",
    key: "<key>",
    scale: 2,
  });
});

test("the example of the model is shown, without its masked secret", () => {
  expect(callInput(model({ text: "hello", key: "****" }), fields)).toMatchObject({ text: "hello", key: "<key>", steps: 4 });
});

test("what somebody filled in goes first, without secrets", () => {
  expect(callInput(model({ text: "hello" }), fields, { text: "mine", key: "s3cret" })).toEqual({ text: "mine", key: "<key>" });
});
