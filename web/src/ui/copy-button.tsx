import { useEffect, useRef, useState } from "preact/hooks";
import { copyText } from "./clipboard.ts";

const SHOWN_MS = 2000;

interface Props {
  text: string;
  /** What is copied, for those who do not see where the button is. */
  label?: string;
  children?: string;
}

export function CopyButton({ text, label = "Copy", children = "Copy" }: Props) {
  const [outcome, setOutcome] = useState("");
  const timer = useRef(0);
  useEffect(() => () => window.clearTimeout(timer.current), []);

  const copy = async () => {
    setOutcome((await copyText(text)) ? "Copied" : "Not copied");
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setOutcome(""), SHOWN_MS);
  };
  return (
    <button type="button" class="button button-small copy-button" aria-label={label} onClick={() => void copy()}>
      <span aria-hidden="true">{outcome || children}</span>
      <span class="visually-hidden" role="status">
        {outcome}
      </span>
    </button>
  );
}
