import { api, ApiError, must } from "../../api/client.ts";
import type { Run } from "../../run/run.ts";

export const isMissing = (error: unknown): boolean => error instanceof ApiError && error.status === 404;

/** A prediction, or a training of that id. */
export async function findRun(id: string): Promise<Run> {
  const params = { params: { path: { id } } };
  try {
    return await must(api.GET("/v1/predictions/{id}", params));
  } catch (error) {
    if (!isMissing(error)) throw error;
    return must(api.GET("/v1/trainings/{id}", params));
  }
}
