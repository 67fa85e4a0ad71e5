import { CopyButton } from "./copy-button.tsx";
import "./code.css";

interface Props {
  text: string;
  /** What the text is, such as "Python". */
  label: string;
}

/** A text to copy. It may be scrolled with the keyboard. */
export function Code({ text, label }: Props) {
  return (
    <div class="code">
      <pre tabIndex={0} role="region" aria-label={label}>
        <code>{text}</code>
      </pre>
      <div class="code-copy">
        <CopyButton text={text} label={`Copy: ${label}`} />
      </div>
    </div>
  );
}
