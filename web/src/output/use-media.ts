import { useEffect, useState } from "preact/hooks";
import { isOwn } from "../ui/own-files.ts";
import { fileName, isHttp, mediaOf, mediaOfType, type Media } from "./kind.ts";

/** What a file is: by its name, or by its type where this server has it under a name without an ending. */
export function useMedia(url: string): Media {
  const known = mediaOf(url);
  const isAsked = known === "file" && isHttp(url) && isOwn(url) && !/\.[A-Za-z0-9]+$/.test(fileName(url));
  const [told, setTold] = useState<Media>("file");
  useEffect(() => {
    setTold("file");
    if (!isAsked) return;
    const stop = new AbortController();
    fetch(url, { method: "HEAD", signal: stop.signal })
      .then((reply) => (reply.ok ? setTold(mediaOfType(reply.headers.get("content-type") ?? "")) : undefined))
      .catch(() => undefined);
    return () => stop.abort();
  }, [url, isAsked]);
  return isAsked ? told : known;
}
