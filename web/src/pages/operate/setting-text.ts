import type { Schemas } from "../../api/client.ts";
import { duration } from "../../ui/quantities.ts";

type Variant = Pick<Schemas["AdviceVariant"], "min_instances" | "max_instances" | "idle_timeout_seconds">;

/** "0 to 2, 5 min": bounds of the instances and how long an idle one stays. */
export function settingText({ min_instances, max_instances, idle_timeout_seconds }: Variant): string {
  return `${min_instances} to ${max_instances}, ${idle_timeout_seconds === null ? "until others need the room" : duration(idle_timeout_seconds)}`;
}
