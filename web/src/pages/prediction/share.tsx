import { api, ApiError, must, type Schemas } from "../../api/client.ts";
import { useData } from "../../api/use-data.ts";
import { CopyButton } from "../../ui/copy-button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Pending } from "../../ui/states.tsx";
import { useAction } from "../../ui/use-action.ts";

/** The link of a prediction; null when it is not shared. */
async function findShare(id: string): Promise<Schemas["Share"] | null> {
  try {
    return await must(api.GET("/v1/predictions/{id}/share", { params: { path: { id } } }));
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

/** Makes the link to a prediction, and takes it back. */
export function ShareDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const share = useData(async () => ({ link: await findShare(id) }), [id]);
  const change = useAction();
  const params = { params: { path: { id } } };
  const make = () => change.run(async () => { await must(api.PUT("/v1/predictions/{id}/share", params)); share.reload(); });
  const takeBack = () => change.run(async () => { await must(api.DELETE("/v1/predictions/{id}/share", params)); share.reload(); });
  const link = share.data?.link ?? null;
  return (
    <Dialog title="Share this prediction" onClose={onClose}>
      {share.data === null ? (
        <Pending loaded={share} rows={1} />
      ) : link === null ? (
        <>
          <p>A link shows input, output and logs to everybody who has it, without a token. You can take it back at any time.</p>
          <div class="row">
            <button type="button" class="button button-primary" disabled={change.isBusy} onClick={() => void make()}>Make a link</button>
            <button type="button" class="button" onClick={onClose}>Not now</button>
          </div>
        </>
      ) : (
        <>
          <label class="dialog-field">
            <span>Link</span>
            <input readOnly value={link.url} onFocus={(event) => event.currentTarget.select()} />
          </label>
          <div class="row">
            <CopyButton text={link.url} label="Copy the link" />
            <button type="button" class="button button-danger" disabled={change.isBusy} onClick={() => void takeBack()}>Take the link back</button>
            <button type="button" class="button" onClick={onClose}>Done</button>
          </div>
        </>
      )}
      {change.error !== null && <p class="error-text" role="alert">{change.error}</p>}
    </Dialog>
  );
}
