import { api, must } from "../api/client.ts";
import { useData } from "../api/use-data.ts";
import { FilePreview } from "../form/preview.tsx";
import { localFile } from "../form/upload.ts";
import { useSession } from "../session.tsx";
import { bytes } from "../ui/quantities.ts";

/** A file that was uploaded for a run: as it was dropped here, or by its name. */
export function UploadedFile({ url, id }: { url: string; id: string }) {
  const session = useSession();
  const isAsked = localFile(url) === undefined && session !== null;
  const file = useData(async () => (isAsked ? must(api.GET("/v1/files/{id}", { params: { path: { id } } })) : null), [id, isAsked]);
  if (localFile(url) !== undefined) return <FilePreview url={url} />;
  if (file.error?.status === 404) return <span class="muted">An uploaded file that has expired</span>;
  if (file.data === null) return <span class="muted">An uploaded file</span>;
  return (
    <span>
      {file.data.name} <span class="muted small">{bytes(file.data.size)}</span>
    </span>
  );
}
