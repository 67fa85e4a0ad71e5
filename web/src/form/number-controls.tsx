import { useState } from "preact/hooks";
import type { ControlProps } from "./control.ts";
import { numberFrom } from "./values.ts";

const HIGHEST_SEED = 2 ** 31 - 1;

/** A round step of about a hundredth of the range. */
export function stepOf(minimum: number, maximum: number, isInteger: boolean): number {
  if (isInteger) return 1;
  return 10 ** Math.floor(Math.log10((maximum - minimum) / 50));
}

/** The text stays as it was typed ("1e3", "0.10") while it says the same number. */
function useNumberText(value: unknown, onChange: (value: unknown) => void) {
  const [typed, setTyped] = useState<string | null>(null);
  const written = value === undefined || value === null ? "" : String(value);
  const isSame = typed !== null && (typed.trim() === "" ? value === undefined : numberFrom(typed) === value);
  const change = (text: string) => {
    setTyped(text);
    onChange(text.trim() === "" ? undefined : numberFrom(text));
  };
  return { text: isSame && typed !== null ? typed : written, change };
}

export function NumberControl(props: ControlProps) {
  const { field, value, onChange } = props;
  const { text, change } = useNumberText(value, onChange);
  const { minimum, maximum } = field;
  const isInteger = field.shape === "integer";
  const hasSlider = minimum !== null && maximum !== null && maximum > minimum && !field.isSeed;
  const step = hasSlider ? stepOf(minimum, maximum, isInteger) : 1;
  const nudge = (direction: number) => {
    const from = typeof value === "number" ? value : (minimum ?? 0) - direction;
    const to = Number((from + direction * step).toPrecision(12));
    onChange(Math.min(maximum ?? Infinity, Math.max(minimum ?? -Infinity, to)));
  };
  return (
    <div class="control-row">
      <input
        id={props.id}
        class={field.isSeed ? "grow" : "control-number"}
        inputMode={isInteger ? "numeric" : "decimal"}
        autoComplete="off"
        value={text}
        placeholder={value === null ? "null" : field.isSeed ? "Random" : field.isRequired ? "" : "Left out"}
        aria-describedby={props.describedBy}
        aria-invalid={props.isInvalid}
        aria-required={field.isRequired}
        onInput={(event) => change(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
          event.preventDefault();
          nudge(event.key === "ArrowUp" ? 1 : -1);
        }}
      />
      {hasSlider && (
        <>
          <span class="small muted" aria-hidden="true">{minimum}</span>
          <input
            type="range"
            class="grow"
            min={minimum}
            max={maximum}
            step={step}
            value={typeof value === "number" ? value : minimum}
            aria-label={`${field.name}, slider`}
            onInput={(event) => onChange(Number(event.currentTarget.value))}
          />
          <span class="small muted" aria-hidden="true">{maximum}</span>
        </>
      )}
      {field.isSeed && (
        <button
          type="button"
          class="button button-small"
          onClick={() => {
            const lowest = minimum ?? 0;
            const range = Math.min(maximum ?? HIGHEST_SEED, lowest + HIGHEST_SEED) - lowest;
            onChange(lowest + Math.floor(Math.random() * (range + 1)));
          }}
        >
          Random
        </button>
      )}
    </div>
  );
}

const NOTHING = "";

export function ChoiceControl({ field, value, onChange, id, describedBy, isInvalid }: ControlProps) {
  const at = field.choices.findIndex((choice) => choice === value);
  const isOdd = value !== undefined && at < 0;
  return (
    <select
      id={id}
      class="control-select"
      value={isOdd ? "odd" : at < 0 ? NOTHING : String(at)}
      aria-describedby={describedBy}
      aria-invalid={isInvalid}
      onChange={(event) => {
        const chosen = event.currentTarget.value;
        onChange(chosen === NOTHING ? undefined : field.choices[Number(chosen)]);
      }}
    >
      {(at < 0 || !field.isRequired) && !isOdd && <option value={NOTHING}>{field.isRequired ? "Choose" : "Left out"}</option>}
      {isOdd && <option value="odd">{String(value)}</option>}
      {field.choices.map((choice, i) => (
        <option key={i} value={String(i)}>{String(choice)}</option>
      ))}
    </select>
  );
}

export function BooleanControl({ field, value, onChange, id, describedBy, isInvalid }: ControlProps) {
  return (
    <label class="row control-check">
      <input
        id={id}
        type="checkbox"
        checked={value === true}
        aria-label={field.name}
        aria-describedby={describedBy}
        aria-invalid={isInvalid}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span class="muted">{value === undefined ? "Left out" : value === null ? "null" : String(value)}</span>
    </label>
  );
}
