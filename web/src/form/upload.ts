/** Files of a form: each is uploaded once and then named by its URL. */
import { api, must } from "../api/client.ts";

export interface LocalFile {
  name: string;
  type: string;
  size: number;
  /** Shows the file without a request; only this browser knows it. */
  preview: string;
}

const local = new Map<string, LocalFile>();

/** What this browser knows of an uploaded file. */
export function localFile(url: string): LocalFile | undefined {
  return local.get(url);
}

export async function upload(file: File): Promise<string> {
  const form = new FormData();
  form.append("content", file, file.name);
  const stored = await must(
    api.POST("/v1/files", { body: { content: "", filename: file.name }, bodySerializer: () => form }),
  );
  const url = stored.urls.get;
  local.set(url, { name: file.name, type: file.type, size: file.size, preview: URL.createObjectURL(file) });
  return url;
}

/** The files of a drop or a paste. */
export function filesOfTransfer(transfer: DataTransfer | null): File[] {
  return transfer === null ? [] : [...transfer.files];
}
