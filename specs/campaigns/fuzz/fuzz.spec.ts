import { describeFuzzing } from "./describe-fuzz.ts";

describeFuzzing({ inputs: 200, seed: 1 });
