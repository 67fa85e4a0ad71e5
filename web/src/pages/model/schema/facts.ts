/** What a schema says of each input and of the output, as short texts: for tables and differences. */
import { toJson } from "../../../api/json.ts";
import { fieldsOf, namedSchema, type Field } from "../../../form/schema.ts";

export type Component = "Input" | "Output" | "TrainingInput" | "TrainingOutput";

export interface Property {
  name: string;
  type: string;
  isRequired: boolean;
  description: string;
  /** As JSON; none when every value of the type is allowed. */
  choices: readonly string[];
  /** Everything else that matters to callers, by what it is: "default", "minimum" … */
  facts: Readonly<Record<string, string>>;
}

type Node = Record<string, unknown>;

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value in one line. Texts are quoted, so that the empty one is seen. */
export function inWords(value: unknown): string {
  return toJson(value);
}

const lengths: Readonly<Record<string, string>> = {
  minLength: "shortest length",
  maxLength: "longest length",
  pattern: "pattern",
  minItems: "fewest items",
  maxItems: "most items",
};

function factsOf(field: Field, raw: Node): Record<string, string> {
  const facts: Record<string, string> = {};
  if (field.hasDefault && field.shape !== "secret") facts["default"] = inWords(field.default);
  if (field.minimum !== null) facts["minimum"] = String(field.minimum);
  if (field.maximum !== null) facts["maximum"] = String(field.maximum);
  for (const [key, name] of Object.entries(lengths)) {
    const value = raw[key];
    if (typeof value === "number" || typeof value === "string") facts[name] = String(value);
  }
  if (field.choices.length > 0) facts["choices"] = field.choices.map(inWords).join(", ");
  if (field.isNullable) facts["null"] = "allowed";
  if (field.isDeprecated) facts["deprecated"] = "yes";
  return facts;
}

/** The properties of a schema in the order of the model; none when it is no object. */
export function propertiesOf(openapi: unknown, component: Component): Property[] {
  const properties = namedSchema(openapi, component)?.["properties"];
  return fieldsOf(openapi, component).map((field) => {
    const raw = isNode(properties) ? properties[field.name] : undefined;
    return {
      name: field.name,
      type: field.type,
      isRequired: field.isRequired,
      description: field.description,
      choices: field.choices.map(inWords),
      facts: factsOf(field, isNode(raw) ? raw : {}),
    };
  });
}

/** The schema of the output in words: "string", "file", "list of files", "stream of string" … */
export function outputType(openapi: unknown, component: Component = "Output"): string {
  const schema = namedSchema(openapi, component);
  if (schema === null) return "not known";
  const wrapped = { components: { schemas: { ...schemasOf(openapi), Wrapped: { properties: { value: schema } } } } };
  const type = fieldsOf(wrapped, "Wrapped")[0]?.type ?? "any";
  if (schema["x-cog-array-type"] === "iterator") return `stream of ${type.replace(/\[\]$/, "")}`;
  return type;
}

function schemasOf(openapi: unknown): Node {
  const components = isNode(openapi) ? openapi["components"] : null;
  const schemas = isNode(components) ? components["schemas"] : null;
  return isNode(schemas) ? schemas : {};
}
