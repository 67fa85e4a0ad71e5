import type { PageProps } from "../../app.tsx";
import { setQuery } from "../../router.ts";
import { useTitle } from "../../ui/title.ts";
import { AllModels } from "./all-models.tsx";
import { Collections } from "./collections.tsx";
import { Found } from "./found.tsx";
import { SearchField } from "./search-field.tsx";
import { useWarm } from "./use-warm.ts";
import "./explore.css";

export function Explore({ query }: PageProps) {
  const text = query.get("q") ?? "";
  const warm = useWarm();
  useTitle(text.trim() === "" ? "Explore" : `${text} – Explore`);
  return (
    <div class="stack explore">
      <div class="explore-head">
        <h1>Explore</h1>
        <SearchField value={text} onInput={(q) => setQuery({ q })} />
      </div>
      {text.trim() === "" ? (
        <>
          <Collections warm={warm} />
          <AllModels warm={warm} />
        </>
      ) : (
        <Found text={text.trim()} warm={warm} />
      )}
    </div>
  );
}
