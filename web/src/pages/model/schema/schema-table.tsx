import { outputType, propertiesOf, type Component, type Property } from "./facts.ts";
import "./schema-table.css";

interface Props {
  openapi: unknown;
  component: Component;
  /** Of the anchors: `input` makes #input-text. */
  prefix: string;
  caption: string;
}

/** A schema as a table whose rows can be linked to. */
export function SchemaTable({ openapi, component, prefix, caption }: Props) {
  const properties = propertiesOf(openapi, component);
  const isOutput = component === "Output" || component === "TrainingOutput";
  if (properties.length === 0) {
    return <p class="muted">{isOutput ? <>The output is <code>{outputType(openapi, component)}</code>.</> : "There are no inputs."}</p>;
  }
  return (
    <div class="scroll-x" role="region" aria-label={caption} tabIndex={0}>
      <table class="schema-table">
        <caption class="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Type</th>
            <th scope="col">Default</th>
            <th scope="col">Description</th>
          </tr>
        </thead>
        <tbody>
          {properties.map((property) => (
            <Row key={property.name} property={property} id={`${prefix}-${property.name}`} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ property, id }: { property: Property; id: string }) {
  const { default: initial, ...facts } = property.facts;
  return (
    <tr id={id}>
      <th scope="row">
        <a class="schema-name mono" href={`#${encodeURIComponent(id)}`}>
          {property.name}
        </a>
        {property.isRequired && <span class="schema-required">required</span>}
      </th>
      <td class="mono">{property.type}</td>
      <td class="mono schema-default">{initial ?? ""}</td>
      <td>
        {property.description}
        {Object.entries(facts).map(([what, value]) => (
          <div key={what} class="muted small">
            {what}: <span class="mono">{value}</span>
          </div>
        ))}
      </td>
    </tr>
  );
}
