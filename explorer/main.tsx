/** Entry of the explorer. See specs/explorer/explorer.md. */
import { render } from "preact";
import { App } from "./app.tsx";
import { startLive } from "./live/live-state.ts";

const place = document.getElementById("app");
if (place !== null) render(<App />, place);
startLive();
