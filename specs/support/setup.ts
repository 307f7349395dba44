/** Loaded by mocha before any spec: what every entry point of the project loads first. */
import "../../node/polyfill.ts";
