/** The input that the calls of the API tab show. */
import type { Schemas } from "../../../api/client.ts";
import type { Field } from "../../../form/schema.ts";
import { defaultsOf, valuesOf, withoutSecrets, type Values } from "../../../form/values.ts";

function placeholder(field: Field): unknown {
  switch (field.shape) {
    case "integer":
    case "number":
      return field.minimum ?? 1;
    case "boolean":
      return false;
    case "choice":
      return field.choices[0] ?? "";
    case "file":
      return "https://example.com/file";
    case "files":
      return ["https://example.com/file"];
    case "list":
      return [];
    case "json":
      return {};
    case "text":
    case "secret":
      return `<${field.name}>`;
  }
}

/** Required fields get a value to replace; defaults need not be said. */
export function requiredInput(fields: readonly Field[]): Values {
  const defaults = defaultsOf(fields);
  return Object.fromEntries(
    fields.filter((field) => field.isRequired).map((field) => [field.name, defaults[field.name] ?? placeholder(field)]),
  );
}

/** What somebody filled in, else the model's own example, else only what has to be there. */
export function callInput(model: Schemas["Model"], fields: readonly Field[], draft: Values | null = null): Values {
  if (draft !== null) return withoutSecrets(draft, fields);
  const example = model.default_example?.input;
  return example === undefined ? requiredInput(fields) : { ...requiredInput(fields), ...valuesOf(example, fields) };
}
