import { useEffect, useState } from "preact/hooks";
import { api, must } from "../../api/client.ts";
import { useData } from "../../api/use-data.ts";
import { navigate, setQuery } from "../../router.ts";
import { ActionError, Field } from "../../ui/field.tsx";
import { Pending } from "../../ui/states.tsx";
import { useAction } from "../../ui/use-action.ts";
import { SettingsFields } from "./fields.tsx";
import { ownSettings, readSettings } from "./settings.ts";
import { useVersions, VersionField } from "./versions.tsx";

const TYPING_MS = 300;

/** The form of a new deployment. The address may name its model and version. */
export function CreateDeployment({ query }: { query: URLSearchParams }) {
  const [model, setModel] = useState(query.get("model") ?? "");
  const [settled, setSettled] = useState(model);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(model.trim()), TYPING_MS);
    return () => window.clearTimeout(timer);
  }, [model]);
  const hardware = useData(() => must(api.GET("/v1/hardware")), []);
  const models = useData(() => must(api.GET("/v1/models")), []);
  const versions = useVersions(settled);
  const { isBusy, error, run } = useAction();

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const { hardware: kind = "", min_instances = 0, max_instances = 1, ...others } = ownSettings(readSettings(form));
    const body = {
      name: String(form.get("name")).trim(),
      model: settled,
      version: String(form.get("version")),
      hardware: kind,
      min_instances,
      max_instances,
      ...others,
    };
    await run(async () => {
      const made = await must(api.POST("/v1/deployments", { body }));
      navigate(`/deployments/${made.owner}/${made.name}`);
    });
  };

  const kinds = hardware.data;
  if (kinds === null) return <Pending loaded={hardware} rows={4} />;
  const now = { hardware: kinds[0]?.sku ?? "", min_instances: 0, max_instances: 1 };
  return (
    <form class="card stack" aria-labelledby="create-deployment" onSubmit={(event) => void submit(event)}>
      <h2 id="create-deployment">Create a deployment</h2>
      <div class="fields">
        <Field label="Name" hint="It is part of the address that programs call.">
          <input name="name" required autocomplete="off" />
        </Field>
        <Field label="Model" hint="owner/name">
          <input
            name="model"
            required
            list="create-deployment-models"
            pattern="[^\/\s]+\/[^\/\s]+"
            title="owner/name"
            autocomplete="off"
            value={model}
            onInput={(event) => setModel(event.currentTarget.value)}
          />
        </Field>
        <datalist id="create-deployment-models">
          {models.data?.results.map(({ owner, name }) => (
            <option key={`${owner}/${name}`} value={`${owner}/${name}`} />
          ))}
        </datalist>
        <VersionField versions={versions.data ?? []} chosen={query.get("version") ?? ""} />
      </div>
      <ActionError message={versions.error !== null && settled !== "" ? versions.error.message : null} />
      <SettingsFields hardware={kinds} now={now} />
      <ActionError message={error} />
      <div class="row">
        <button class="button button-primary" disabled={isBusy || versions.isLoading}>
          Create deployment
        </button>
        <button type="button" class="button" onClick={() => setQuery({ new: null, model: null, version: null })}>
          Close
        </button>
      </div>
    </form>
  );
}
