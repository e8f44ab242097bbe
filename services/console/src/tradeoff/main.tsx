import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import "../style/base.css";
import "./tradeoff.css";
import { Page } from "./page";

const root = document.getElementById("app");
if (root) render(<Page />, root);
