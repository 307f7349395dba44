import { describeEngine } from "./describe-engine.ts";

describeEngine({ programs: 10, walks: 15, seed: 1 });
