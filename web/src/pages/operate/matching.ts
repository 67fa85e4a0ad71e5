/** Settings that a search leaves. Pure. */
import type { Schemas } from "../../api/client.ts";

export type Setting = Schemas["Settings"]["results"][number];

/** Every word has to be in the name or the help. */
export function matching(settings: readonly Setting[], text: string, onlySet: boolean): readonly Setting[] {
  const words = text.toLowerCase().split(/\s+/).filter((word) => word !== "");
  return settings.filter((setting) => {
    const said = `${setting.name} ${setting.help}`.toLowerCase();
    return (!onlySet || setting.source !== "default") && words.every((word) => said.includes(word));
  });
}
