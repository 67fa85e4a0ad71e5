import { useState } from "preact/hooks";
import { api, must, type Schemas } from "../../../api/client.ts";
import { changeOf, detailsOf, urlFields, type Details } from "./details.ts";
import { SaveRow, useSave } from "./save.tsx";

export function DetailsForm({ model, onSave }: { model: Schemas["Model"]; onSave: () => void }) {
  const [saved, setSaved] = useState<Details>(() => detailsOf(model));
  const [details, setDetails] = useState<Details>(saved);
  const change = changeOf(saved, details);
  const isChanged = Object.keys(change).length > 0;
  const save = useSave(async () => {
    const { owner, name } = model;
    const now = await must(api.PATCH("/v1/models/{owner}/{name}", { params: { path: { owner, name } }, body: change }));
    setSaved(detailsOf(now));
    setDetails(detailsOf(now));
    onSave();
  });
  const set = (part: Partial<Details>) => {
    save.clear();
    setDetails({ ...details, ...part });
  };
  return (
    <form class="settings-form" onSubmit={save.submit}>
      <label class="settings-field">
        <span>Description</span>
        <textarea rows={2} value={details.description} onInput={(event) => set({ description: event.currentTarget.value })} />
      </label>
      <label class="settings-field">
        <span>Visibility</span>
        <select
          value={details.visibility}
          onChange={(event) => set({ visibility: event.currentTarget.value === "public" ? "public" : "private" })}
        >
          <option value="private">Private</option>
          <option value="public">Public</option>
        </select>
        <span class="small muted">Every account of this server may see and run a public model.</span>
      </label>
      {urlFields.map(({ name, label, help }) => (
        <label key={name} class="settings-field">
          <span>{label}</span>
          <input
            type="url"
            placeholder="https://"
            value={details[name]}
            onInput={(event) => set({ [name]: event.currentTarget.value })}
          />
          {help !== "" && <span class="small muted">{help}</span>}
        </label>
      ))}
      <p class="small muted">
        A push whose <code>vend.yaml</code> names one of these sets it again.
      </p>
      <SaveRow save={save} isChanged={isChanged} label="Save the details" />
    </form>
  );
}
