import { render } from "preact";
import { App } from "./app";
import { dropOldDrafts } from "./drafts";
import "./style/base.css";
import "./style/frame.css";
import "./style/work.css";

dropOldDrafts();
const root = document.getElementById("app");
if (root) render(<App />, root);
