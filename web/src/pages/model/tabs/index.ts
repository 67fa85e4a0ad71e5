/** The tabs of a model beside its playground. */
import { load } from "../../../ui/lazy.tsx";
import type { Tab } from "../tabs.ts";
import { meets, type Needs } from "./needs.ts";

const rows: readonly (Tab & { needs: Needs })[] = [
  { id: "api", label: "API", needs: {}, page: load(() => import("./api.tsx").then((m) => m.ApiTab)) },
  { id: "examples", label: "Examples", needs: {}, page: load(() => import("./examples.tsx").then((m) => m.ExamplesTab)) },
  { id: "readme", label: "Readme", needs: {}, page: load(() => import("./readme.tsx").then((m) => m.ReadmeTab)) },
  { id: "versions", label: "Versions", needs: {}, page: load(() => import("./versions.tsx").then((m) => m.VersionsTab)) },
  {
    id: "train",
    label: "Train",
    needs: { scope: "read", training: true },
    page: load(() => import("./train.tsx").then((m) => m.TrainTab)),
  },
  {
    id: "settings",
    label: "Settings",
    needs: { scope: "push", owner: true },
    page: load(() => import("./settings.tsx").then((m) => m.SettingsTab)),
  },
];

export const otherTabs: readonly Tab[] = rows.map((row) => ({
  ...row,
  isShown: (model, session) => meets(row.needs, model, session),
}));
