import { useEffect, useState } from "preact/hooks";
import { ago, exactly } from "./ago.ts";

const REFRESH_MS = 30_000;

/** A time in words, and the exact one on hover. */
export function Time({ at }: { at: string }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), REFRESH_MS);
    return () => window.clearInterval(timer);
  }, []);
  return (
    <time dateTime={at} title={exactly(at)}>
      {ago(Date.parse(at), now)}
    </time>
  );
}
