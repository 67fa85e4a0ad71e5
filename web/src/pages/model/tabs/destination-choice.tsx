import { useEffect, useId } from "preact/hooks";
import { api, must } from "../../../api/client.ts";
import { useData } from "../../../api/use-data.ts";
import { useMay, useSession } from "../../../session.tsx";
import { Switch } from "../../../ui/switch.tsx";
import type { Destination } from "./destination.ts";

interface Props {
  value: Destination;
  onChange: (value: Destination) => void;
}

const ways = [
  { id: "existing", label: "A model of yours" },
  { id: "new", label: "A new model" },
] as const;

export function DestinationChoice({ value, onChange }: Props) {
  const session = useSession();
  const mayPush = useMay("push");
  const id = useId();
  const owner = session?.username ?? "";
  const models = useData(() => must(api.GET("/v1/models")), []);
  const hardware = useData(() => must(api.GET("/v1/hardware")), []);
  const first = hardware.data?.[0]?.sku ?? "";
  useEffect(() => {
    onChange({ ...value, owner, hardware: value.hardware || first });
  }, [owner, first]);
  const own = (models.data?.results ?? []).filter((model) => model.owner === owner);

  return (
    <fieldset class="destination">
      <legend>Destination</legend>
      {mayPush && (
        <Switch
          label="Destination"
          options={ways}
          value={value.isNew ? "new" : "existing"}
          onChange={(way) => onChange({ ...value, isNew: way === "new" })}
        />
      )}
      <label class="destination-field">
        <span class="small muted">{value.isNew ? "Name of the new model" : "Name of the model"}</span>
        <span class="destination-name">
          <span class="mono">{owner}/</span>
          <input
            name="destination"
            autocomplete="off"
            list={value.isNew ? undefined : `${id}-models`}
            value={value.name}
            onInput={(event) => onChange({ ...value, name: event.currentTarget.value.trim() })}
          />
        </span>
      </label>
      <datalist id={`${id}-models`}>
        {own.map((model) => (
          <option key={model.name} value={model.name} />
        ))}
      </datalist>
      {value.isNew && (
        <div class="row">
          <label class="destination-field">
            <span class="small muted">Visibility</span>
            <select
              value={value.visibility}
              onChange={(event) => onChange({ ...value, visibility: event.currentTarget.value === "public" ? "public" : "private" })}
            >
              <option value="private">Private</option>
              <option value="public">Public</option>
            </select>
          </label>
          <label class="destination-field">
            <span class="small muted">Hardware</span>
            <select value={value.hardware} onChange={(event) => onChange({ ...value, hardware: event.currentTarget.value })}>
              {(hardware.data ?? []).map((kind) => (
                <option key={kind.sku} value={kind.sku}>
                  {kind.name}
                </option>
              ))}
            </select>
          </label>
        </div>
      )}
      <p class="small muted">The training makes a new version of this model, which is its latest from then on.</p>
    </fieldset>
  );
}
