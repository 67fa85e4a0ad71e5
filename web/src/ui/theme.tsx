import { useState } from "preact/hooks";

type Theme = "system" | "light" | "dark";
const next: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };

function stored(): Theme {
  const theme = document.documentElement.dataset["theme"];
  return theme === "light" || theme === "dark" ? theme : "system";
}

export function ThemeSwitch() {
  const [theme, setTheme] = useState<Theme>(stored);
  const change = () => {
    const to = next[theme];
    if (to === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = to;
    try {
      localStorage.setItem("theme", to);
    } catch {
      // The choice lasts until the next load.
    }
    setTheme(to);
  };
  return (
    <button type="button" class="button button-small button-plain" onClick={change} title="Change the colours">
      Theme: {theme}
    </button>
  );
}
