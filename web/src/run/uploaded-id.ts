/** The id in the URL of an uploaded file of this server, which names its metadata; null for all else. */
export function uploadedId(url: string, origin: string = location.origin): string | null {
  const id = url.startsWith(`${origin}/`) ? /^\/(?:v1\/)?files\/([A-Za-z0-9_-]+)$/.exec(url.slice(origin.length))?.[1] : undefined;
  return id ?? null;
}
