import { useEffect, useRef, useState } from "preact/hooks";
import { isOwn } from "../ui/own-files.ts";
import { fileName, isHttp } from "./kind.ts";
import { useMedia } from "./use-media.ts";

const MOST_TEXT = 65536;
const isTextName = (name: string) => /\.(txt|md|json|jsonl|csv|tsv|log|yaml|yml|srt|vtt)$/i.test(name);

/** Shows the picture in its full size. */
function Enlarged({ url, onClose }: { url: string; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="output-enlarged" aria-label={fileName(url)} onClose={onClose} onClick={() => dialog.current?.close()}>
      <img src={url} alt={fileName(url)} />
      <button type="button" class="button" autoFocus>Close</button>
    </dialog>
  );
}

function Picture({ url }: { url: string }) {
  const [isLarge, setLarge] = useState(false);
  return (
    <>
      <button type="button" class="output-picture" aria-label={`Enlarge ${fileName(url)}`} onClick={() => setLarge(true)}>
        <img src={url} alt={fileName(url)} />
      </button>
      {isLarge && <Enlarged url={url} onClose={() => setLarge(false)} />}
    </>
  );
}

/** The beginning of a file of this server that is text. */
function TextFile({ url }: { url: string }) {
  const [text, setText] = useState<string | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    fetch(url, { headers: { range: `bytes=0-${MOST_TEXT - 1}` }, signal: stop.signal })
      .then(async (reply) => (reply.ok ? (await reply.text()).slice(0, MOST_TEXT) : null))
      .then(setText)
      .catch(() => setText(null));
    return () => stop.abort();
  }, [url]);
  if (text === null) return null;
  return <pre class="output-text-file" tabIndex={0} role="region" aria-label={`Text of ${fileName(url)}`}>{text}</pre>;
}

/** One file. It is shown as what it is where that is safe; HTML and SVG never become documents of this page. */
export function OutputFile({ url }: { url: string }) {
  const media = useMedia(url);
  const name = fileName(url);
  const isShown = isOwn(url);
  const isLink = isHttp(url) || /^data:/i.test(url);
  return (
    <figure class="output-file">
      {isShown && media === "image" && <Picture url={url} />}
      {isShown && media === "video" && <video src={url} controls preload="metadata" aria-label={name} />}
      {isShown && media === "audio" && <audio src={url} controls preload="metadata" aria-label={name} />}
      {isShown && media === "file" && isHttp(url) && isTextName(name) && <TextFile url={url} />}
      <figcaption class="row spread small">
        <span class="output-file-name">{name}</span>
        {isLink ? (
          <a class="button button-small" href={url} download={url.startsWith("data:") ? "output" : name} target="_blank" rel="noreferrer noopener" aria-label={`Download ${name}`}>
            Download
          </a>
        ) : (
          <code>{url}</code>
        )}
      </figcaption>
    </figure>
  );
}
