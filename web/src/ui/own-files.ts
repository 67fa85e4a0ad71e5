/** Files by the end of their URL, and whose server has them. */

export type Medium = "image" | "video" | "audio";

const media: Record<Medium, RegExp> = {
  image: /\.(png|jpe?g|webp|gif|avif|bmp|svg)$/i,
  video: /\.(mp4|webm|mov|m4v)$/i,
  audio: /\.(mp3|wav|ogg|oga|flac|m4a|opus)$/i,
};

function parse(text: string, origin: string): URL | null {
  try {
    return new URL(text, origin);
  } catch {
    return null;
  }
}

/** Whether the URL is of this server. The page asks no other one by itself. */
export function isOwn(url: string, origin: string = location.origin): boolean {
  const parsed = parse(url, origin);
  return parsed !== null && (parsed.origin === origin || parsed.protocol === "data:");
}

export function mediumOf(url: string): Medium | null {
  if (/^data:/i.test(url)) {
    const type = /^data:(image|video|audio)\//i.exec(url)?.[1];
    return type === undefined ? null : (type.toLowerCase() as Medium);
  }
  const path = parse(url, "http://localhost")?.pathname ?? "";
  for (const [medium, ending] of Object.entries(media)) if (ending.test(path)) return medium as Medium;
  return null;
}
