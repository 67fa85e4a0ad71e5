import { useEffect, useRef, useState } from "preact/hooks";
import { CopyButton } from "../ui/copy-button.tsx";
import { download } from "../ui/download.ts";
import { duration } from "../ui/quantities.ts";
import { progressOf, settled, type Progress } from "../output/progress.ts";

/** A page cannot show logs of any length; the download has all. */
const MOST_SHOWN = 200_000;

function Bar({ bar }: { bar: Progress }) {
  const label = bar.label === "" ? "Progress" : bar.label;
  const details = [bar.count, bar.rate, bar.remainingSeconds === null ? "" : `${duration(bar.remainingSeconds)} left`].filter(Boolean);
  return (
    <div class="run-bar">
      <div class="row spread small">
        <span>{label}</span>
        <span class="muted">{Math.round(bar.percent)} %{details.length > 0 && ` · ${details.join(" · ")}`}</span>
      </div>
      <progress max={100} value={bar.percent} aria-label={label} />
    </div>
  );
}

export function ProgressBars({ logs }: { logs: string }) {
  const bars = progressOf(logs);
  return bars.length === 0 ? null : <div class="stack">{bars.map((bar) => <Bar key={bar.label} bar={bar} />)}</div>;
}

interface Props {
  logs: string;
  /** Of the run, for the name of the download. */
  id: string;
  isLive: boolean;
  isOpen?: boolean;
}

/** The logs. While they grow the end stays in view, unless somebody reads further up. */
export function Logs({ logs, id, isLive, isOpen = false }: Props) {
  const box = useRef<HTMLPreElement>(null);
  const isAtEnd = useRef(true);
  const [isShown, setShown] = useState(isOpen);
  useEffect(() => {
    if (isOpen) setShown(true);
  }, [isOpen]);
  useEffect(() => {
    if (isAtEnd.current && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [logs, isShown]);

  if (logs === "" && !isLive) return null;
  const text = settled(logs);
  const shown = text.length > MOST_SHOWN ? text.slice(-MOST_SHOWN) : text;
  const lines = text === "" ? 0 : text.replace(/\n$/, "").split("\n").length;
  return (
    <details class="run-logs" open={isShown} onToggle={(event) => setShown(event.currentTarget.open)}>
      <summary>
        Logs <span class="muted small">{lines === 1 ? "1 line" : `${lines} lines`}</span>
      </summary>
      <div class="row run-logs-actions">
        <CopyButton text={logs} label="Copy the logs" />
        <button type="button" class="button button-small" onClick={() => download(logs, `${id}.log`)}>Download</button>
      </div>
      {shown.length < text.length && <p class="small muted">The end of the logs. The download has all of them.</p>}
      <pre
        ref={box}
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label="Logs"
        onScroll={(event) => {
          const element = event.currentTarget;
          isAtEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < 24;
        }}
      >
        {shown === "" ? "No lines yet." : shown}
      </pre>
    </details>
  );
}
