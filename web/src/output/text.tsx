import { useState } from "preact/hooks";
import { CopyButton } from "../ui/copy-button.tsx";
import { Markdown } from "../ui/markdown.tsx";
import { Switch } from "../ui/switch.tsx";

const views = [
  { id: "text", label: "Text" },
  { id: "markdown", label: "Markdown" },
] as const;

/** Whether a text has marks that Markdown gives a meaning. */
export const looksLikeMarkdown = (text: string): boolean =>
  /^(#{1,6} |[-*] |\d+\. |> |```|\|.*\|)|\*\*[^*\n]+\*\*|\[[^\]\n]+\]\([^)\n]+\)|`[^`\n]+`/m.test(text);

export function OutputText({ text, isLive }: { text: string; isLive: boolean }) {
  const [view, setView] = useState<"text" | "markdown">("text");
  return (
    <div class="stack stack-tight">
      {view === "markdown" && !isLive ? (
        <Markdown text={text} />
      ) : (
        <div class="output-text" data-live={isLive}>{text}</div>
      )}
      {!isLive && text !== "" && (
        <div class="row">
          <CopyButton text={text} label="Copy the output" />
          {looksLikeMarkdown(text) && <Switch label="Show the text as" options={views} value={view} onChange={setView} />}
        </div>
      )}
    </div>
  );
}
