import { api, must } from "../../api/client.ts";
import { useData } from "../../api/use-data.ts";
import { counted, money } from "../../ui/quantities.ts";
import type { Configuration } from "./settings.ts";

const MONTH_S = 365.25 * 86_400 / 12;

/** What the minimum costs, where this month's statement knows the price of the hardware. */
export function WarmCost({ configuration }: { configuration: Configuration }) {
  const { min_instances: least, hardware } = configuration;
  const statement = useData(() => must(api.GET("/v1/usage/statement")), []);
  const price = statement.data?.lines.find((line) => line.hardware === hardware && line.price !== null)?.price;
  if (least === 0 || price == null) return null;
  return (
    <p class="muted">
      Keeping {counted(least, "instance", "instances")} warm costs about {money((least * Number(price) * MONTH_S).toFixed(2))} a month.
    </p>
  );
}
