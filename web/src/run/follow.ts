/** Follows a run until its end: its state by asking again, the pieces of its output as they come. */
import { api, ApiError, must } from "../api/client.ts";
import { putPiece } from "./pieces.ts";
import { isLive, isTraining, type Run } from "./run.ts";

const FIRST_MS = 200;
const SLOWEST_MS = 1000;
const OUTAGE_MS = 2000;

export async function readRun(run: Run): Promise<Run> {
  const path = { path: { id: run.id } };
  return isTraining(run)
    ? must(api.GET("/v1/trainings/{id}", { params: path }))
    : must(api.GET("/v1/predictions/{id}", { params: path }));
}

export async function cancelRun(run: Run): Promise<Run> {
  const path = { path: { id: run.id } };
  return isTraining(run)
    ? must(api.POST("/v1/trainings/{id}/cancel", { params: path }))
    : must(api.POST("/v1/predictions/{id}/cancel", { params: path }));
}

export interface Follower {
  onRun: (run: Run) => void;
  /** All pieces so far; only called when there is a stream. */
  onPieces: (pieces: readonly string[]) => void;
  onError: (error: ApiError) => void;
}

/** The stream on this origin, whatever name of the server the URL has. */
function streamOf(run: Run): string | null {
  if (run.urls.stream === undefined) return null;
  const url = new URL(run.urls.stream, location.origin);
  return url.pathname + url.search;
}

/** Returns a function that ends it. `isStreamed`: the output comes in pieces that are texts. */
export function follow(run: Run, isStreamed: boolean, follower: Follower): () => void {
  let isOpen = true;
  let timer = 0;
  let delay = FIRST_MS;
  let asking = false;
  let source: EventSource | null = null;

  const stop = () => {
    isOpen = false;
    window.clearTimeout(timer);
    source?.close();
  };
  const again = (ms: number) => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void ask(), ms);
  };
  const ask = async () => {
    if (asking) return;
    asking = true;
    try {
      const now = await readRun(run);
      if (!isOpen) return;
      follower.onRun(now);
      if (!isLive(now)) return stop();
      again(delay);
      delay = Math.min(SLOWEST_MS, delay * 1.3);
    } catch (thrown) {
      if (!isOpen) return;
      const error = thrown instanceof ApiError ? thrown : new ApiError(0, String(thrown));
      if (error.status !== 0 && error.status < 500 && error.status !== 429) {
        follower.onError(error);
        return stop();
      }
      again(OUTAGE_MS);
    } finally {
      asking = false;
    }
  };

  const address = isStreamed ? streamOf(run) : null;
  if (address !== null) {
    const pieces: string[] = [];
    let frame = 0;
    source = new EventSource(address);
    source.addEventListener("output", (event) => {
      putPiece(pieces, event.lastEventId, String(event.data));
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        if (isOpen) follower.onPieces(pieces.slice());
      });
    });
    const end = () => {
      source?.close();
      if (isOpen) again(0);
    };
    source.addEventListener("done", end);
    // Without data it is an outage, after which the browser asks for the rest by itself.
    source.addEventListener("error", (event) => {
      if ("data" in event && event.data !== undefined) end();
    });
  }
  again(FIRST_MS);
  return stop;
}
