import type { ComponentChildren } from "preact";
import "./facts.css";

export type Fact = readonly [name: string, value: ComponentChildren];

/** Few numbers or texts with their names. */
export function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name} class="fact">
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
