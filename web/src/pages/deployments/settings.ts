/** Settings of a release, as a form has them. Pure. */
import type { Schemas } from "../../api/client.ts";

export type Configuration = Schemas["Release"]["configuration"];
export type Settings = Omit<Schemas["DeploymentChange"], "version" | "model">;

type Name = Exclude<keyof Settings, "hardware">;

interface NumberSetting {
  name: Name;
  label: string;
  hint: string;
  min: number;
  max: number;
  step: number | "any";
}

export const bounds: readonly NumberSetting[] = [
  { name: "min_instances", label: "Minimum of instances", hint: "Kept warm at all times. 0: starts with a request.", min: 0, max: 5, step: 1 },
  { name: "max_instances", label: "Maximum of instances", hint: "0 pauses the deployment; its runs wait.", min: 0, max: 20, step: 1 },
];

export const numbers: readonly NumberSetting[] = [
  { name: "idle_timeout", label: "Idle timeout, seconds", hint: "An idle instance stops after it.", min: 0, max: 31_536_000, step: "any" },
  { name: "scale_down_delay", label: "Scale-down delay, seconds", hint: "How long more instances than needed are kept.", min: 0, max: 86_400, step: "any" },
  { name: "concurrency", label: "Runs at a time per instance", hint: "At most those of the version.", min: 1, max: 256, step: 1 },
  { name: "target", label: "Target load, percent", hint: "More instances start above it.", min: 1, max: 100, step: 1 },
];

interface Switch {
  name: Name;
  label: string;
}

export const switches: readonly Switch[] = [
  { name: "on_demand", label: "Stop idle instances only when others need the room" },
  { name: "fast_start", label: "Fork instances from a process with the imports loaded" },
  { name: "snapshot", label: "Fork instances from a process that has run setup()" },
  { name: "retry_safe", label: "Retry a run that was lost before any output" },
];

interface Choice {
  name: Name;
  label: string;
  hint: string;
  choices: readonly string[];
}

export const choices: readonly Choice[] = [
  { name: "network", label: "Network", hint: "Else that of the model.", choices: ["outbound", "none", "host"] },
];

export const serverSetting = "server";

/** The settings of a form. What is left empty is the server's setting: null. */
export function readSettings(form: FormData): Settings {
  const settings: Record<string, unknown> = { hardware: String(form.get("hardware")) };
  const text = (name: string) => String(form.get(name) ?? "").trim();
  for (const { name } of bounds) settings[name] = Number(text(name));
  for (const { name } of numbers) settings[name] = text(name) === "" ? null : Number(text(name));
  for (const { name } of switches) settings[name] = text(name) === "" || text(name) === serverSetting ? null : text(name) === "yes";
  for (const { name } of choices) settings[name] = text(name) === "" || text(name) === serverSetting ? null : text(name);
  return settings as Settings;
}

/** What differs from a release; the API makes a new release of each change. */
export function changesOf(now: Configuration, wanted: Settings): Settings {
  const before = now as Record<string, unknown>;
  return Object.fromEntries(Object.entries(wanted).filter(([name, value]) => (before[name] ?? null) !== value)) as Settings;
}

/** Without the settings that are the server's, which a create call leaves out. */
export function ownSettings(wanted: Settings): Settings {
  return Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== null)) as Settings;
}
