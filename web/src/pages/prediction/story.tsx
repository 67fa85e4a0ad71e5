import { exactly } from "../../ui/ago.ts";
import { duration } from "../../ui/quantities.ts";
import { isLive, type Run } from "../../run/run.ts";
import { useNow } from "../../run/use-now.ts";
import { useStory } from "../../run/use-story.ts";
import { spansOf, type Span } from "./waterfall.ts";

const LIVE_MS = 1000;

function Bar({ span, from, length }: { span: Span; from: number; length: number }) {
  const start = ((span.from - from) / length) * 100;
  const width = ((span.to - span.from) / length) * 100;
  return (
    <li class="story-span">
      <span class="story-label">{span.label}</span>
      <span class="story-track" aria-hidden="true">
        <span class={`story-bar story-${span.kind}`} style={{ insetInlineStart: `${start}%`, width: `${width}%` }} />
      </span>
      <span class="story-time">{duration((span.to - span.from) / 1000)}{span.isOpen ? " so far" : ""}</span>
    </li>
  );
}

const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hour12: false });

/** Where the time went, and what the scheduler says of it. */
export function StoryOf({ run }: { run: Run }) {
  const live = isLive(run);
  const story = useStory(run, { everyMs: live ? LIVE_MS : 0 });
  const now = useNow(live);
  const entries = story?.entries ?? [];
  const spans = spansOf(run, entries, now);
  const from = Date.parse(run.created_at);
  const length = Math.max(1, Math.max(...spans.map((span) => span.to), from) - from);
  return (
    <div class="stack">
      <ul class="story-spans" aria-label="Where the time went">
        {spans.map((span) => <Bar key={`${span.kind} ${span.from}`} span={span} from={from} length={length} />)}
      </ul>
      {entries.length > 0 && (
        <ol class="story-events">
          {entries.map((entry, i) => (
            <li key={i}>
              <span class="story-clock">
                {entry.at === null ? "now" : <time dateTime={entry.at} title={exactly(entry.at)}>{clock.format(new Date(entry.at))}</time>}
              </span>
              <span class="story-sentence">{entry.sentence}</span>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}
