import { useLayoutEffect, useRef } from "preact/hooks";
import "./search-field.css";

interface Props {
  value: string;
  onInput: (text: string) => void;
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** The key / goes to it from anywhere on the page. */
export function SearchField({ value, onInput }: Props) {
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    const focus = (event: KeyboardEvent) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      event.preventDefault();
      field.current?.focus();
      field.current?.select();
    };
    document.addEventListener("keydown", focus);
    return () => document.removeEventListener("keydown", focus);
  }, []);
  return (
    <form class="search-field" role="search" onSubmit={(event) => event.preventDefault()}>
      <input
        ref={field}
        type="search"
        name="q"
        aria-label="Search models"
        aria-keyshortcuts="/"
        placeholder="Search by name, description or readme"
        autocomplete="off"
        spellcheck={false}
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      <kbd aria-hidden="true">/</kbd>
    </form>
  );
}
