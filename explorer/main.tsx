/** Entry of the explorer. See specs/explorer/explorer.md. */
import { render } from "preact";
import { App } from "./app.tsx";
import { onEachPicture, startLive } from "./live/live-state.ts";
import { advanceProof } from "./proof/proof-state.ts";

const place = document.getElementById("app");
if (place !== null) render(<App />, place);
onEachPicture(() => void advanceProof());
startLive();
void advanceProof();
