import { useEffect, useRef, useState } from "preact/hooks";
import { Loading } from "./states.tsx";
import "./markdown.css";

/** Beyond this size Markdown is shown as it is, since parsing would hold up the page. */
const MOST_CHARACTERS = 300_000;

/** Markdown of other people. */
export function Markdown({ text }: { text: string }) {
  const place = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<"waiting" | "shown" | "plain">("waiting");
  const isLong = text.length > MOST_CHARACTERS;

  useEffect(() => {
    if (isLong) return;
    let isCurrent = true;
    import("./markdown-render.ts").then(
      ({ renderMarkdown }) => {
        if (!isCurrent) return;
        place.current?.replaceChildren(renderMarkdown(text));
        setState("shown");
      },
      () => isCurrent && setState("plain"),
    );
    return () => {
      isCurrent = false;
    };
  }, [text]);

  if (isLong || state === "plain") return <pre class="markdown-plain">{text}</pre>;
  return (
    <>
      {state === "waiting" && <Loading />}
      <div ref={place} class="markdown" />
    </>
  );
}
