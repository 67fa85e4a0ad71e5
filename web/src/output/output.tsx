import { CopyButton } from "../ui/copy-button.tsx";
import { DownloadAll } from "./download-all.tsx";
import { OutputFile } from "./file.tsx";
import { JsonTree } from "./json-tree.tsx";
import { filesOf, filesWithin, kindOf } from "./kind.ts";
import { OutputText } from "./text.tsx";
import "./output.css";

interface Props {
  value: unknown;
  /** `components.schemas.Output` of the version, or null when it is not known. */
  schema: unknown;
  isLive: boolean;
}

const MOST_LINES = 2000;

function Lines({ lines }: { lines: readonly string[] }) {
  const hidden = Math.max(0, lines.length - MOST_LINES);
  return (
    <>
      {hidden > 0 && <p class="small muted">The last {MOST_LINES} of {lines.length} pieces. The JSON has all.</p>}
      <ol class="output-lines" start={hidden + 1}>
        {lines.slice(hidden).map((line, i) => <li key={i}>{line}</li>)}
      </ol>
      <CopyButton text={lines.join("\n")} label="Copy the output" />
    </>
  );
}

/** What a model returned, as what it is. Texts of models are always shown as texts. */
export function Output({ value, schema, isLive }: Props) {
  switch (kindOf(value, schema)) {
    case "nothing":
      return isLive ? null : <p class="muted">The model returned nothing.</p>;
    case "text":
      return <OutputText text={String(value)} isLive={isLive} />;
    case "joined":
      return <OutputText text={(value as string[]).join("")} isLive={isLive} />;
    case "lines":
      return <Lines lines={value as string[]} />;
    case "number":
    case "boolean":
      return <p class="output-value">{String(value)}</p>;
    case "files": {
      const files = filesOf(value);
      if (files.length === 0) return isLive ? null : <p class="muted">The model returned no files.</p>;
      return (
        <div class="stack">
          <div class={files.length > 1 ? "output-gallery" : "stack"}>
            {files.map((url, i) => <OutputFile key={`${i} ${url}`} url={url} />)}
          </div>
          {!isLive && <DownloadAll urls={files} />}
        </div>
      );
    }
    case "json":
      return (
        <div class="stack">
          {filesWithin(value).map((url, i) => <OutputFile key={`${i} ${url}`} url={url} />)}
          {!isLive && <DownloadAll urls={filesWithin(value)} />}
          <JsonTree value={value} />
        </div>
      );
  }
}
