/** The tabs of a model; each is an address of its own and is loaded when it is first looked at. */
import type { ComponentType } from "preact";
import type { Schemas } from "../../api/client.ts";
import type { Session } from "../../api/session.ts";
import { load } from "../../ui/lazy.tsx";
import { otherTabs } from "./tabs/index.ts";

export interface TabProps {
  model: Schemas["Model"];
  /** The version of `?version=`, else the latest; null while the model has none. */
  version: Schemas["Version"] | null;
  /** With `part`, what stands behind the tab in the address. */
  params: Record<string, string>;
  query: URLSearchParams;
  /** Reads the model again after a change. */
  reload: () => void;
}

export interface Tab {
  /** In the address: /owner/name/ID; the playground is /owner/name. */
  id: string;
  label: string;
  page: ComponentType<TabProps>;
  /** Absent: for everybody. */
  isShown?: (model: Schemas["Model"], session: Session | null) => boolean;
}

export const tabs: readonly Tab[] = [
  { id: "playground", label: "Playground", page: load(() => import("./playground/playground.tsx").then((m) => m.Playground)) },
  ...otherTabs,
];
