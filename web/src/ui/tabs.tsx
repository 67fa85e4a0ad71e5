import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import "./tabs.css";

export interface TabLink {
  href: string;
  label: string;
  isHere: boolean;
}

/** Tabs that are pages of their own. */
export function TabLinks({ label, tabs }: { label: string; tabs: readonly TabLink[] }) {
  const list = useRef<HTMLElement>(null);
  const here = tabs.find((tab) => tab.isHere)?.href;
  // On a narrow screen the tab of the page may be beyond the edge.
  useEffect(() => {
    const [nav, tab] = [list.current, list.current?.querySelector<HTMLElement>("[aria-current]")];
    if (nav === null || tab === null || tab === undefined) return;
    const beyond = tab.getBoundingClientRect().right - nav.getBoundingClientRect().right;
    if (beyond > 0) nav.scrollLeft += beyond;
  }, [here]);
  return (
    <nav class="tabs" aria-label={label} ref={list}>
      {tabs.map((tab) => (
        <a key={tab.href} class="tab" href={tab.href} aria-current={tab.isHere ? "page" : undefined}>
          {tab.label}
        </a>
      ))}
    </nav>
  );
}

interface Props<Id extends string> {
  label: string;
  tabs: readonly { id: Id; label: string }[];
  value: Id;
  onChange: (id: Id) => void;
  children: ComponentChildren;
}

/** Tabs within a page; the arrow keys move between them. */
export function Tabs<Id extends string>({ label, tabs, value, onChange, children }: Props<Id>) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent) => {
    const at = tabs.findIndex((tab) => tab.id === value);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    const next = to === undefined ? undefined : tabs[(to + tabs.length) % tabs.length];
    if (next === undefined) return;
    event.preventDefault();
    onChange(next.id);
    list.current?.querySelector<HTMLElement>(`[data-tab="${next.id}"]`)?.focus();
  };
  return (
    <div>
      <div class="tabs" role="tablist" aria-label={label} ref={list} onKeyDown={move}>
        {tabs.map((tab) => (
          <button
            key={tab.id}
            type="button"
            class="tab"
            role="tab"
            id={`${id}-${tab.id}`}
            data-tab={tab.id}
            aria-selected={tab.id === value}
            aria-controls={`${id}-panel`}
            tabIndex={tab.id === value ? 0 : -1}
            onClick={() => onChange(tab.id)}
          >
            {tab.label}
          </button>
        ))}
      </div>
      <div class="tab-panel" role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${value}`}>
        {children}
      </div>
    </div>
  );
}
