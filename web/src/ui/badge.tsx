import type { ComponentChildren } from "preact";
import "./badge.css";

/** `live` is what changes by itself soon. */
export type Tone = "plain" | "good" | "warn" | "bad" | "accent" | "live";

interface Props {
  tone?: Tone;
  title?: string;
  children: ComponentChildren;
}

/** A state in a word; the colour only repeats it. */
export function Badge({ tone = "plain", title, children }: Props) {
  return (
    <span class={`badge badge-${tone}`} title={title}>
      {children}
    </span>
  );
}
