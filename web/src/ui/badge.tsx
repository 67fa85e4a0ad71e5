import type { ComponentChildren } from "preact";
import "./badge.css";

interface Props {
  tone?: "plain" | "good" | "warn" | "bad" | "accent";
  title?: string;
  children: ComponentChildren;
}

export function Badge({ tone = "plain", title, children }: Props) {
  return (
    <span class={`badge badge-${tone}`} title={title}>
      {children}
    </span>
  );
}
