import { useState } from "preact/hooks";
import { api, must, type Schemas } from "../../api/client.ts";
import { useData } from "../../api/use-data.ts";
import { ActionError } from "../../ui/field.tsx";
import { shortId } from "../../ui/quantities.ts";
import { Pending } from "../../ui/states.tsx";
import { useAction } from "../../ui/use-action.ts";
import { SettingsFields } from "./fields.tsx";
import { changesOf, readSettings } from "./settings.ts";
import { useVersions, VersionField } from "./versions.tsx";

interface Props {
  deployment: Schemas["Deployment"];
  /** With what happened, in a sentence. */
  onDone: (said: string) => void;
}

function change({ owner, name }: Schemas["Deployment"], body: Schemas["DeploymentChange"]) {
  return must(api.PATCH("/v1/deployments/{owner}/{name}", { params: { path: { owner, name } }, body }));
}

/** Another version of the same model. */
export function Roll({ deployment, onDone }: Props) {
  const release = deployment.current_release;
  const versions = useVersions(release.model);
  const { isBusy, error, run } = useAction();
  const [said, setSaid] = useState("");
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const version = String(new FormData(event.currentTarget as HTMLFormElement).get("version"));
    setSaid("");
    if (version === release.version) {
      setSaid("It runs this version already.");
      return;
    }
    await run(async () => {
      const next = await change(deployment, { version });
      onDone(`Release ${next.current_release.number} runs ${shortId(version)}. The one before it goes on until the new one is ready.`);
    });
  };
  return (
    <section class="stack deployments-part" aria-labelledby="roll">
      <h2 id="roll">Roll to a version</h2>
      {versions.data === null ? (
        <Pending loaded={versions} rows={1} />
      ) : (
        <form class="row" onSubmit={(event) => void submit(event)}>
          <VersionField key={release.version} versions={versions.data} chosen={release.version} />
          <button class="button" disabled={isBusy || versions.data.length === 0}>
            Roll
          </button>
        </form>
      )}
      <p role="status" class={said === "" ? "visually-hidden" : "small"}>
        {said}
      </p>
      <ActionError message={error} />
    </section>
  );
}

export function EditSettings({ deployment, onDone }: Props) {
  const { configuration } = deployment.current_release;
  const hardware = useData(() => must(api.GET("/v1/hardware")), []);
  const { isBusy, error, run } = useAction();
  const [said, setSaid] = useState("");
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const wanted = readSettings(new FormData(event.currentTarget as HTMLFormElement));
    const changes = changesOf(configuration, wanted);
    setSaid("");
    if (Object.keys(changes).length === 0) {
      setSaid("Nothing is different.");
      return;
    }
    await run(async () => {
      const next = await change(deployment, changes);
      onDone(`The settings are those of release ${next.current_release.number}.`);
    });
  };
  return (
    <section class="stack deployments-part" aria-labelledby="settings">
      <h2 id="settings">Settings</h2>
      {hardware.data === null ? (
        <Pending loaded={hardware} rows={3} />
      ) : (
        <form class="stack" aria-labelledby="settings" onSubmit={(event) => void submit(event)}>
          <SettingsFields hardware={hardware.data} now={configuration} />
          <ActionError message={error} />
          <div class="row">
            <button class="button" disabled={isBusy}>
              Save as a new release
            </button>
            <span role="status" class="small">
              {said}
            </span>
          </div>
        </form>
      )}
    </section>
  );
}
