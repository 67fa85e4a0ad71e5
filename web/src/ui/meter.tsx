import "./meter.css";

/** How much of something is used; the text beside it says the same. */
export function Meter({ label, used, of }: { label: string; used: number; of: number }) {
  const share = of > 0 ? Math.min(used / of, 1) : 0;
  return (
    <span
      class="meter"
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={of}
      aria-valuenow={Math.min(used, of)}
    >
      <span style={{ inlineSize: `${share * 100}%` }} />
    </span>
  );
}
