import { useEffect, useState } from "preact/hooks";

const PROBE_MS = 3000;
let isReachable = true;
const listeners = new Set<() => void>();

/** Said by every call: whether the server answered. */
export function noteReachable(reachable: boolean): void {
  if (reachable === isReachable) return;
  isReachable = reachable;
  for (const listener of listeners) listener();
  if (!reachable) window.setTimeout(probe, PROBE_MS);
}

async function probe(): Promise<void> {
  try {
    const reply = await fetch("/-/readyz");
    if (reply.ok) {
      noteReachable(true);
      return;
    }
  } catch {
    // Still away.
  }
  window.setTimeout(probe, PROBE_MS);
}

export function useOnline(): boolean {
  const [online, setOnline] = useState(isReachable);
  useEffect(() => {
    const update = () => setOnline(isReachable);
    listeners.add(update);
    return () => {
      listeners.delete(update);
    };
  }, []);
  return online;
}
