import { useId } from "preact/hooks";
import "./switch.css";

interface Props<Id extends string> {
  label: string;
  options: readonly { id: Id; label: string }[];
  value: Id;
  onChange: (id: Id) => void;
}

/** One of a few views of the same thing. */
export function Switch<Id extends string>({ label, options, value, onChange }: Props<Id>) {
  const name = useId();
  return (
    <div class="switch" role="radiogroup" aria-label={label}>
      {options.map((option) => (
        <label key={option.id} class={option.id === value ? "switch-option switch-on" : "switch-option"}>
          <input type="radio" name={name} class="visually-hidden" checked={option.id === value} onChange={() => onChange(option.id)} />
          {option.label}
        </label>
      ))}
    </div>
  );
}
