import type { Schemas } from "../../../api/client.ts";

type Prediction = Schemas["Prediction"];

/** Examples that came with the files of the model never ran here: they began when they were made. */
export function isPushed(example: Pick<Prediction, "created_at" | "started_at">): boolean {
  return example.started_at === example.created_at;
}

/** Whether the example can be removed and added again without a loss. */
export function canBeMovedFirst(example: Pick<Prediction, "created_at" | "started_at" | "data_removed">): boolean {
  return !isPushed(example) && !example.data_removed;
}

/** The id in what somebody pasted: the id itself, or an address that ends with it. */
export function predictionId(text: string): string {
  const path = text.trim().replace(/[?#].*$/, "").replace(/\/+$/, "");
  return path.split("/").at(-1) ?? "";
}
