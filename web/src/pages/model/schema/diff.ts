/** What changes for a caller between the schemas of two versions. */
import { outputType, propertiesOf, type Component, type Property } from "./facts.ts";
import { namedSchema } from "../../../form/schema.ts";

export interface Change {
  what: string;
  /** Null: not there. */
  before: string | null;
  after: string | null;
}

export interface Difference {
  component: Component;
  /** Null: the schema as a whole. */
  name: string | null;
  kind: "added" | "removed" | "changed";
  changes: Change[];
  /** Whether a call that was right before may be wrong, or read wrong, now. */
  isBreaking: boolean;
}

const components: readonly Component[] = ["Input", "Output", "TrainingInput", "TrainingOutput"];

function texts(property: Property): Record<string, string> {
  return {
    type: property.type,
    required: property.isRequired ? "yes" : "no",
    ...property.facts,
    description: property.description,
  };
}

function changesOf(before: Record<string, string>, after: Record<string, string>): Change[] {
  const whats = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...whats].flatMap((what) => {
    const [was, is] = [before[what] ?? null, after[what] ?? null];
    return was === is ? [] : [{ what, before: was, after: is }];
  });
}

/** Numbers that became stricter. A limit that went away never does. */
const stricter: Readonly<Record<string, (before: number, after: number) => boolean>> = {
  minimum: (before, after) => after > before,
  maximum: (before, after) => after < before,
  "shortest length": (before, after) => after > before,
  "longest length": (before, after) => after < before,
  "fewest items": (before, after) => after > before,
  "most items": (before, after) => after < before,
};

function breaksInput({ what, before, after }: Change, was: Property, is: Property): boolean {
  const isStricter = stricter[what];
  if (isStricter !== undefined) return after !== null && (before === null || isStricter(Number(before), Number(after)));
  switch (what) {
    case "type":
      return true;
    case "required":
      return is.isRequired;
    case "pattern":
      return after !== null;
    case "null":
      return after === null;
    case "choices":
      return after !== null && (before === null || !isSubset(was, is));
    default:
      return false;
  }
}

function isSubset(was: Property, is: Property): boolean {
  return was.choices.every((choice) => is.choices.includes(choice));
}

function compare(component: Component, before: readonly Property[], after: readonly Property[]): Difference[] {
  const isInput = component === "Input" || component === "TrainingInput";
  const old = new Map(before.map((property) => [property.name, property]));
  const kept = new Set(after.map((property) => property.name));
  const removed = before
    .filter((property) => !kept.has(property.name))
    .map((property): Difference => ({
      component,
      name: property.name,
      kind: "removed",
      changes: changesOf(texts(property), {}),
      // The API ignores inputs that no schema names: a call loses what it asked for.
      isBreaking: true,
    }));
  const others = after.flatMap((property): Difference[] => {
    const was = old.get(property.name);
    const changes = changesOf(was === undefined ? {} : texts(was), texts(property));
    if (was === undefined) {
      return [{ component, name: property.name, kind: "added", changes, isBreaking: isInput && property.isRequired }];
    }
    if (changes.length === 0) return [];
    const isBreaking = isInput
      ? changes.some((change) => breaksInput(change, was, property))
      : changes.some((change) => change.what === "type");
    return [{ component, name: property.name, kind: "changed", changes, isBreaking }];
  });
  return [...removed, ...others];
}

/** The whole schema: there at all, and of which type. */
function compareWhole(component: Component, before: unknown, after: unknown): Difference[] {
  const [was, is] = [namedSchema(before, component), namedSchema(after, component)];
  if (was === null && is === null) return [];
  const isOutput = component === "Output" || component === "TrainingOutput";
  const typeOf = (openapi: unknown) => (isOutput ? outputType(openapi, component) : "object");
  const type: Change = {
    what: "type",
    before: was === null ? null : typeOf(before),
    after: is === null ? null : typeOf(after),
  };
  if (type.before === type.after) return [];
  const kind = was === null ? "added" : is === null ? "removed" : "changed";
  return [{ component, name: null, kind, changes: [type], isBreaking: kind !== "added" }];
}

export function diffSchemas(before: unknown, after: unknown): Difference[] {
  return components.flatMap((component) => [
    ...compareWhole(component, before, after),
    ...compare(component, propertiesOf(before, component), propertiesOf(after, component)),
  ]);
}
