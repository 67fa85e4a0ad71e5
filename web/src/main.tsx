import { render } from "preact";
import { App } from "./app.tsx";
import "./ui/tokens.css";
import "./ui/base.css";

const root = document.getElementById("app");
if (root !== null) render(<App />, root);
