import type { Field } from "./schema.ts";

/** What every control of a field gets. */
export interface ControlProps {
  field: Field;
  /** undefined: the field is left out. */
  value: unknown;
  /** undefined leaves the field out. */
  onChange: (value: unknown) => void;
  /** A text that cannot be sent as it is, or null. */
  onProblem: (message: string | null) => void;
  id: string;
  describedBy: string | undefined;
  isInvalid: boolean;
}
