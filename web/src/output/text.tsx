import { CopyButton } from "../ui/copy-button.tsx";

export function OutputText({ text, isLive }: { text: string; isLive: boolean }) {
  return (
    <div class="stack stack-tight">
      <div class="output-text" data-live={isLive}>{text}</div>
      <div class="row">
        <CopyButton text={text} label="Copy the output" />
      </div>
    </div>
  );
}
