/** What a value of an output is, so that it can be shown as that. */

export type Media = "image" | "video" | "audio" | "file";

const extensions: Record<string, Media> = {
  png: "image", jpg: "image", jpeg: "image", gif: "image", webp: "image", avif: "image", svg: "image", bmp: "image", ico: "image",
  mp4: "video", webm: "video", mov: "video", m4v: "video", ogv: "video",
  mp3: "audio", wav: "audio", ogg: "audio", oga: "audio", flac: "audio", m4a: "audio", aac: "audio", opus: "audio", weba: "audio",
};

export function mediaOfType(type: string): Media {
  const [major] = type.split("/");
  return major === "image" || major === "video" || major === "audio" ? major : "file";
}

/** The last piece of the path, for people. */
export function fileName(url: string): string {
  if (url.startsWith("data:")) return `inline ${/^data:([^;,]+)/.exec(url)?.[1] ?? "file"}`;
  try {
    return decodeURIComponent(new URL(url).pathname.split("/").at(-1) ?? "") || url;
  } catch {
    return url;
  }
}

export function mediaOf(url: string): Media {
  if (url.startsWith("data:")) return mediaOfType(/^data:([^;,]+)/i.exec(url)?.[1] ?? "");
  const extension = /\.([A-Za-z0-9]+)$/.exec(fileName(url))?.[1] ?? "";
  return extensions[extension.toLowerCase()] ?? "file";
}

/** Only these are ever put into an address of the page. */
export function isHttp(url: string): boolean {
  return /^https?:\/\//i.test(url);
}

/** A text that is a file, though no schema says so: an output of this server, or picture data. */
export function isFileUrl(value: unknown): value is string {
  if (typeof value !== "string") return false;
  return /^data:[a-z]+\/[\w.+-]+[;,]/i.test(value) || /^https?:\/\/[^/\s]+\/(v1\/)?(outputs|files)\/\S+$/i.test(value);
}

export type Kind = "nothing" | "text" | "joined" | "lines" | "number" | "boolean" | "files" | "json";

type Node = Record<string, unknown>;
const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && !Array.isArray(value);

const isUri = (schema: unknown) => isNode(schema) && schema["type"] === "string" && schema["format"] === "uri";

/** Whether the output comes in pieces. */
export function isIterator(schema: unknown): boolean {
  return isNode(schema) && schema["x-cog-array-type"] === "iterator";
}

export function isTextIterator(schema: unknown): boolean {
  return isIterator(schema) && isNode(schema) && isNode(schema["items"]) && schema["items"]["type"] === "string" && !isUri(schema["items"]);
}

export function kindOf(value: unknown, schema: unknown): Kind {
  if (value === null || value === undefined) return "nothing";
  if (typeof value === "number" || typeof value === "bigint") return "number";
  if (typeof value === "boolean") return "boolean";
  if (typeof value === "string") return isUri(schema) || isFileUrl(value) ? "files" : "text";
  if (Array.isArray(value)) {
    if (value.length === 0) return isNode(schema) && isUri(schema["items"]) ? "files" : "json";
    if (value.every((item) => typeof item === "string")) {
      if ((isNode(schema) && isUri(schema["items"])) || value.every(isFileUrl)) return "files";
      if (isNode(schema) && schema["x-cog-array-display"] === "concatenate") return "joined";
      return "lines";
    }
  }
  return "json";
}

export function filesOf(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).filter((item) => typeof item === "string");
}

/** The files anywhere in a value, in order. */
export function filesWithin(value: unknown): string[] {
  if (isFileUrl(value)) return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(filesWithin);
}
