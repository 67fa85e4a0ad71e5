/** The fields of a form, read from the input schema of a version as Cog writes it. */

export type Shape = "text" | "integer" | "number" | "boolean" | "choice" | "file" | "files" | "secret" | "list" | "json";

export interface Field {
  name: string;
  title: string;
  shape: Shape;
  /** As shown beside the name: string, integer, file[] … */
  type: string;
  description: string;
  isRequired: boolean;
  isNullable: boolean;
  isDeprecated: boolean;
  /** A number that only picks one of many results. */
  isSeed: boolean;
  hasDefault: boolean;
  default: unknown;
  minimum: number | null;
  maximum: number | null;
  choices: readonly unknown[];
  /** Type of the items of a list. */
  item: "text" | "integer" | "number" | "boolean" | "json";
}

type Node = Record<string, unknown>;

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function schemasOf(openapi: unknown): Node {
  const components = isNode(openapi) ? openapi["components"] : null;
  const schemas = isNode(components) ? components["schemas"] : null;
  return isNode(schemas) ? schemas : {};
}

/** A schema of `components.schemas`, or null. */
export function namedSchema(openapi: unknown, name: string): Node | null {
  const schema = schemasOf(openapi)[name];
  return isNode(schema) ? schema : null;
}

const MOST_REFERENCES = 16;

/** The node with its references followed and its `null` alternative taken out. */
function resolve(node: Node, schemas: Node, depth = 0): { node: Node; isNullable: boolean } {
  let isNullable = node["nullable"] === true;
  if (depth > MOST_REFERENCES) return { node, isNullable };
  const reference = node["$ref"];
  const parts = [node["allOf"], node["anyOf"], node["oneOf"]].flatMap((list) => (Array.isArray(list) ? list : []));
  const kept = parts.filter((part) => isNode(part) && part["type"] !== "null");
  isNullable ||= kept.length < parts.length;
  let below: Node | null = null;
  if (typeof reference === "string") {
    const target = schemas[reference.split("/").at(-1) ?? ""];
    if (isNode(target)) below = target;
  } else if (kept.length === 1) {
    below = kept[0] as Node;
  }
  if (below === null) return { node, isNullable };
  const inner = resolve(below, schemas, depth + 1);
  const { $ref: _ref, allOf: _all, anyOf: _any, oneOf: _one, ...own } = node;
  return { node: { ...inner.node, ...own }, isNullable: isNullable || inner.isNullable };
}

const isFile = (node: Node) => node["type"] === "string" && (node["format"] === "uri" || node["format"] === "binary");

function itemOf(node: Node, schemas: Node): { item: Field["item"]; isFile: boolean; type: string } {
  const items = isNode(node["items"]) ? resolve(node["items"], schemas).node : {};
  if (isFile(items)) return { item: "text", isFile: true, type: "file" };
  switch (items["type"]) {
    case "string":
      return { item: "text", isFile: false, type: "string" };
    case "integer":
    case "number":
    case "boolean":
      return { item: items["type"], isFile: false, type: items["type"] };
    default:
      return { item: "json", isFile: false, type: "any" };
  }
}

function shapeOf(node: Node, schemas: Node): { shape: Shape; type: string } {
  const type = node["type"];
  const name = typeof type === "string" ? type : "any";
  if (Array.isArray(node["enum"])) return { shape: "choice", type: name };
  if (node["x-cog-secret"] === true || node["format"] === "password") return { shape: "secret", type: "secret" };
  if (isFile(node)) return { shape: "file", type: "file" };
  switch (type) {
    case "string":
      return { shape: "text", type: name };
    case "integer":
    case "number":
    case "boolean":
      return { shape: type, type };
    case "array": {
      const items = itemOf(node, schemas);
      return { shape: items.isFile ? "files" : items.item === "json" ? "json" : "list", type: `${items.type}[]` };
    }
    default:
      return { shape: "json", type: name };
  }
}

const numberOf = (value: unknown): number | null => (typeof value === "number" || typeof value === "bigint" ? Number(value) : null);
const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

function fieldOf(name: string, raw: Node, isRequired: boolean, schemas: Node): Field {
  const { node, isNullable } = resolve(raw, schemas);
  const { shape, type } = shapeOf(node, schemas);
  const isEnum = shape === "choice";
  return {
    name,
    title: textOf(raw["title"]) || name,
    shape,
    type,
    // The description of a shared enum is Cog's own and says nothing.
    description: textOf(isEnum ? raw["description"] : node["description"]),
    isRequired,
    isNullable,
    isDeprecated: node["deprecated"] === true,
    isSeed: shape === "integer" && /(^|_)seed$/i.test(name),
    hasDefault: "default" in node && node["default"] !== null,
    default: node["default"] ?? null,
    minimum: numberOf(node["minimum"]),
    maximum: numberOf(node["maximum"]),
    choices: isEnum ? (node["enum"] as unknown[]) : [],
    item: itemOf(node, schemas).item,
  };
}

/** The fields in the order of the model. `component` is Input or TrainingInput. */
export function fieldsOf(openapi: unknown, component = "Input"): Field[] {
  const schema = namedSchema(openapi, component);
  const properties = schema === null ? null : schema["properties"];
  if (!isNode(properties)) return [];
  const required = Array.isArray(schema?.["required"]) ? schema["required"] : [];
  const order = (node: unknown) => (isNode(node) ? (numberOf(node["x-order"]) ?? Infinity) : Infinity);
  return Object.entries(properties)
    .sort(([, a], [, b]) => (order(a) === order(b) ? 0 : order(a) - order(b)))
    .map(([name, node]) => fieldOf(name, isNode(node) ? node : {}, required.includes(name), schemasOf(openapi)));
}
