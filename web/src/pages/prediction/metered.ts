/** What is known of the hardware and the cost of a run, from the end of its story. Pure. */
import { money } from "../../ui/quantities.ts";

export interface Metered {
  hardware: string | null;
  /** A sentence; null without a price. */
  cost: string | null;
}

export function meteredOf(value: unknown): Metered {
  if (typeof value !== "object" || value === null) return { hardware: null, cost: null };
  const all = value as Record<string, unknown>;
  const text = (name: string) => (typeof all[name] === "string" ? all[name] : null);
  const amount = text("amount");
  const cost =
    amount === null
      ? null
      : all["billed"] === true
        ? money(amount)
        : `${money(amount)}, part of its instance`;
  return { hardware: text("hardware"), cost };
}
