import { Field } from "../../ui/field.tsx";
import type { Schemas } from "../../api/client.ts";
import { bounds, choices, numbers, serverSetting, switches, type Configuration } from "./settings.ts";

interface Props {
  hardware: Schemas["HardwareList"];
  /** The settings to begin with. */
  now: Configuration;
}

function switchOf(value: unknown): string {
  return value === true ? "yes" : value === false ? "no" : serverSetting;
}

/** The settings of a deployment, for a new one and for a change. */
export function SettingsFields({ hardware, now }: Props) {
  const values = now as Record<string, unknown>;
  const numberOf = (name: string) => (typeof values[name] === "number" ? String(values[name]) : "");
  const hasMore = [...numbers, ...switches, ...choices].some(({ name }) => values[name] !== undefined);
  return (
    <>
      <div class="fields">
        <Field label="Hardware">
          <select name="hardware" required defaultValue={now.hardware}>
            {hardware.map((kind) => (
              <option key={kind.sku} value={kind.sku} selected={kind.sku === now.hardware}>
                {kind.name}
              </option>
            ))}
          </select>
        </Field>
        {bounds.map(({ name, label, hint, ...range }) => (
          <Field key={name} label={label} hint={hint}>
            <input type="number" name={name} required {...range} defaultValue={numberOf(name)} />
          </Field>
        ))}
      </div>
      <details open={hasMore}>
        <summary>More settings</summary>
        <div class="stack deployments-more">
          <p class="muted small">An empty field means the setting of the server.</p>
          <div class="fields">
            {numbers.map(({ name, label, hint, ...range }) => (
              <Field key={name} label={label} hint={hint}>
                <input type="number" name={name} {...range} defaultValue={numberOf(name)} placeholder="server's setting" />
              </Field>
            ))}
            {switches.map(({ name, label }) => (
              <Field key={name} label={label}>
                <select name={name}>
                  {[serverSetting, "yes", "no"].map((choice) => (
                    <option key={choice} value={choice} selected={choice === switchOf(values[name])}>
                      {choice === serverSetting ? "server's setting" : choice}
                    </option>
                  ))}
                </select>
              </Field>
            ))}
            {choices.map(({ name, label, hint, choices: words }) => (
              <Field key={name} label={label} hint={hint}>
                <select name={name}>
                  {[serverSetting, ...words].map((choice) => (
                    <option key={choice} value={choice} selected={choice === (values[name] ?? serverSetting)}>
                      {choice === serverSetting ? "not set" : choice}
                    </option>
                  ))}
                </select>
              </Field>
            ))}
          </div>
        </div>
      </details>
    </>
  );
}
