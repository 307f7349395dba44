/** How mocha runs the specs: all of them, or only those that the command line names. */
// mocha adds the configured files to the named ones, so they are left out when there are any.
const namesFiles = process.argv.slice(2).some((argument) => argument.endsWith(".js"));

module.exports = {
  ...(namesFiles ? {} : { spec: ["dist/specs/**/*.spec.js"] }),
  require: ["./dist/specs/support/setup.js"],
  "node-option": ["enable-source-maps"],
  timeout: 20000,
  "forbid-only": true,
  "fail-zero": true,
};
