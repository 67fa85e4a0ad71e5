import { useId, useState } from "preact/hooks";
import { api, must, type Schemas } from "../../../api/client.ts";
import { useData } from "../../../api/use-data.ts";
import { Pending } from "../../../ui/states.tsx";
import { SaveRow, useSave } from "./save.tsx";
import { effectiveText, scalingChange, scalingFields, textsOf, type ScalingField } from "./scaling.ts";

export function ScalingForm({ model }: { model: Schemas["Model"] }) {
  const { owner, name } = model;
  const loaded = useData(
    () => must(api.GET("/v1/models/{owner}/{name}/scaling", { params: { path: { owner, name } } })),
    [owner, name],
  );
  if (loaded.data === null) return <Pending loaded={loaded} rows={5} />;
  return <Fields model={model} initial={loaded.data} />;
}

function Fields({ model, initial }: { model: Schemas["Model"]; initial: Schemas["Scaling"] }) {
  const [scaling, setScaling] = useState(initial);
  const [texts, setTexts] = useState(() => textsOf(initial));
  const change = scalingChange(textsOf(scaling), texts);
  const save = useSave(async () => {
    const path = { owner: model.owner, name: model.name };
    const now = await must(api.PATCH("/v1/models/{owner}/{name}/scaling", { params: { path }, body: change }));
    setScaling(now);
    setTexts(textsOf(now));
  });
  return (
    <form class="settings-form" onSubmit={save.submit}>
      <div class="scaling-fields">
        {scalingFields.map((field) => (
          <ScalingInput
            key={field.name}
            field={field}
            value={texts[field.name]}
            effective={effectiveText(scaling, field)}
            onChange={(text) => {
              save.clear();
              setTexts({ ...texts, [field.name]: text });
            }}
          />
        ))}
      </div>
      <SaveRow save={save} isChanged={Object.keys(change).length > 0} label="Save the scaling" />
    </form>
  );
}

interface InputProps {
  field: ScalingField;
  value: string;
  effective: string;
  onChange: (text: string) => void;
}

function optionsOf(field: ScalingField): readonly (readonly [string, string])[] {
  if (field.choices !== undefined) return field.choices.map((choice) => [choice, choice] as const);
  return [["true", "On"], ["false", "Off"]];
}

function ScalingInput({ field, value, effective, onChange }: InputProps) {
  const id = useId();
  return (
    <div class="settings-field">
      <label for={id}>{field.label}</label>
      {field.kind !== "number" ? (
        <select id={id} aria-describedby={`${id}-help`} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
          <option value="">As the server{value === "" ? ` (${effective})` : ""}</option>
          {optionsOf(field).map(([choice, shown]) => (
            <option key={choice} value={choice}>
              {shown}
            </option>
          ))}
        </select>
      ) : (
        <span class="scaling-number">
          <input
            id={id}
            type="number"
            step={field.unit === "seconds" ? "any" : 1}
            min={field.min}
            max={field.max}
            placeholder={effective}
            aria-describedby={`${id}-help`}
            value={value}
            onInput={(event) => onChange(event.currentTarget.value)}
          />
          {field.unit !== undefined && <span class="muted small">{field.unit}</span>}
        </span>
      )}
      <span id={`${id}-help`} class="small muted">
        {field.help}
        {value !== "" && ` In effect: ${effective}.`}
      </span>
    </div>
  );
}
