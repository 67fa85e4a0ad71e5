import { useState } from "preact/hooks";
import { COLUMNS, ROWS, drawnCover } from "./drawn-cover.ts";
import { isOwn, mediumOf } from "./own-files.ts";
import "./cover.css";

interface Props {
  /** owner/name */
  name: string;
  url: string | null | undefined;
}

/** The cover of a model, or a drawn one. Decoration: the name stands beside it. */
export function Cover({ name, url }: Props) {
  const [hasFailed, setFailed] = useState(false);
  const medium = typeof url === "string" && isOwn(url) && !hasFailed ? mediumOf(url) : null;
  const fail = () => setFailed(true);
  if (medium === "image") {
    return <img class="cover" src={url ?? ""} alt="" loading="lazy" decoding="async" onError={fail} />;
  }
  if (medium === "video") {
    return <video class="cover" src={url ?? ""} muted playsInline preload="metadata" aria-hidden="true" onError={fail} />;
  }
  return <Drawn name={name} />;
}

function Drawn({ name }: { name: string }) {
  const { hue, tiles } = drawnCover(name);
  return (
    <svg
      class="cover cover-drawn"
      viewBox={`0 0 ${COLUMNS} ${ROWS}`}
      preserveAspectRatio="xMidYMid slice"
      aria-hidden="true"
      style={{ "--cover-hue": String(hue) }}
    >
      {tiles.map(({ column, row, path, isStrong }) => (
        <path
          key={`${column}-${row}`}
          class={isStrong ? "cover-strong" : "cover-soft"}
          d={path}
          transform={`translate(${column} ${row})`}
        />
      ))}
    </svg>
  );
}
