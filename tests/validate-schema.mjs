// The published schemas accept the demo campus, by a validator that is not ours.
// Usage: node validate-schema.mjs FOLDER-OF-CAMPUS FOLDER-OF-SCHEMAS (needs npm's ajv and smol-toml)
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.NODE_PATH}/`);
const Ajv = require("ajv/dist/2020").default;
const { parse } = require("smol-toml");

const [campus, schemas] = process.argv.slice(2);
const files = {
  plan: JSON.parse(readFileSync(`${campus}/plan.json`, "utf8")),
  campus: parse(readFileSync(`${campus}/campus.toml`, "utf8")),
};
let bad = 0;
for (const [name, value] of Object.entries(files)) {
  const schema = JSON.parse(readFileSync(`${schemas}/${name}.schema.json`, "utf8"));
  // Formats such as uint32 are notes for people and generators.
  const validate = new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile(schema);
  const accepted = validate(value);
  console.log(`${name}: ${accepted ? "accepted" : "refused"}`);
  for (const error of validate.errors ?? []) console.log(`  ${error.instancePath} ${error.message}`);
  bad += accepted ? 0 : 1;
}
process.exit(bad);
