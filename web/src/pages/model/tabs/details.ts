/** The details of a model as texts of a form. */
import type { Schemas } from "../../../api/client.ts";

export const urlFields = [
  { name: "github_url", label: "Code", help: "Where the source is." },
  { name: "paper_url", label: "Paper", help: "" },
  { name: "license_url", label: "License", help: "" },
  { name: "weights_url", label: "Weights", help: "" },
  { name: "cover_image_url", label: "Cover", help: "A picture or video of this server; pictures of other hosts are not loaded. Empty: a drawn one." },
] as const;

export type UrlField = (typeof urlFields)[number]["name"];

export type Details = Record<"description" | UrlField, string> & { visibility: "public" | "private" };

export function detailsOf(model: Schemas["Model"]): Details {
  return {
    visibility: model.visibility,
    description: model.description ?? "",
    github_url: model.github_url ?? "",
    paper_url: model.paper_url ?? "",
    license_url: model.license_url ?? "",
    weights_url: model.weights_url ?? "",
    cover_image_url: model.cover_image_url ?? "",
  };
}

/** Only what was changed, so that a push or another page in between is not undone. An empty text removes the value. */
export function changeOf(before: Details, after: Details): Schemas["ModelChange"] {
  const change: Schemas["ModelChange"] = {};
  if (before.visibility !== after.visibility) change.visibility = after.visibility;
  for (const name of ["description", ...urlFields.map((field) => field.name)] as const) {
    const text = after[name].trim();
    if (text !== before[name].trim()) change[name] = text === "" ? null : text;
  }
  return change;
}
