import { useState } from "preact/hooks";
import { saveBlob } from "../ui/download.ts";
import { isOwn } from "../ui/own-files.ts";
import { bytes } from "../ui/quantities.ts";
import { useAction } from "../ui/use-action.ts";
import { fileName } from "./kind.ts";
import { archiveNames } from "./names.ts";

/** The archive is made in memory. */
const MOST_BYTES = 1_000_000_000;

async function read(urls: readonly string[]): Promise<Uint8Array[]> {
  const files: Uint8Array[] = [];
  let size = 0;
  for (const url of urls) {
    const reply = await fetch(url);
    if (!reply.ok) throw new Error(`${fileName(url)} cannot be read: the server answered ${reply.status}.`);
    const file = new Uint8Array(await reply.arrayBuffer());
    size += file.length;
    if (size > MOST_BYTES) throw new Error(`The files are larger than ${bytes(MOST_BYTES)} together. Download them one by one.`);
    files.push(file);
  }
  return files;
}

/** Outputs are packed already as pictures, sound and video: they are put together as they are. */
async function archive(urls: readonly string[]): Promise<Blob> {
  const [files, { zipSync }] = await Promise.all([read(urls), import("fflate")]);
  const names = archiveNames(urls.map(fileName));
  const entries = Object.fromEntries(files.map((file, i) => [names[i] ?? String(i), file]));
  return new Blob([zipSync(entries, { level: 0 }) as Uint8Array<ArrayBuffer>], { type: "application/zip" });
}

/** All files of this server in one archive. */
export function DownloadAll({ urls }: { urls: readonly string[] }) {
  const own = urls.filter((url) => isOwn(url) && !url.startsWith("data:"));
  const [isDone, setDone] = useState(false);
  const action = useAction();
  if (own.length < 2) return null;
  const save = async () => {
    setDone(false);
    const blob = await archive(own);
    saveBlob(blob, "outputs.zip");
    setDone(true);
  };
  return (
    <div class="row">
      <button type="button" class="button button-small" disabled={action.isBusy} onClick={() => void action.run(save)}>
        {action.isBusy ? "Packing" : `Download all ${own.length} files`}
      </button>
      <span role="status" class="small muted">{isDone && action.error === null ? "Saved as outputs.zip." : ""}</span>
      {action.error !== null && <span class="error-text" role="alert">{action.error}</span>}
    </div>
  );
}
