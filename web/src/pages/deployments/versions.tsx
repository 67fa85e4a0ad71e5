import { api, must, type Schemas } from "../../api/client.ts";
import { useData, type Loaded } from "../../api/use-data.ts";
import { Field } from "../../ui/field.tsx";
import { shortId } from "../../ui/quantities.ts";

type Version = Schemas["Version"];

/** The newest hundred versions of a model; none while the name is not whole. */
export function useVersions(model: string): Loaded<readonly Version[]> {
  return useData(async () => {
    const [owner, name, ...rest] = model.split("/");
    if (!owner || !name || rest.length > 0) return [];
    const page = await must(api.GET("/v1/models/{owner}/{name}/versions", { params: { path: { owner, name } } }));
    return page.results;
  }, [model]);
}

const versionText = (version: Version, isLatest: boolean) =>
  `${shortId(version.id)} of ${new Date(version.created_at).toLocaleString()}${isLatest ? ", latest" : ""}`;

export function VersionField({ versions, chosen, label = "Version" }: { versions: readonly Version[]; chosen?: string; label?: string }) {
  return (
    <Field label={label}>
      <select name="version" required>
        {versions.length === 0 && <option value="">no version</option>}
        {versions.map((version, i) => (
          <option key={version.id} value={version.id} selected={version.id === chosen}>
            {versionText(version, i === 0)}
          </option>
        ))}
      </select>
    </Field>
  );
}
