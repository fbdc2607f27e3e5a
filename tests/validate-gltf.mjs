// Runs the Khronos validator on a binary glTF file: node tests/validate-gltf.mjs campus.glb
// Needs the npm package gltf-validator, found through NODE_PATH or node_modules.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const require = createRequire(process.env.NODE_PATH ? `${process.env.NODE_PATH}/` : import.meta.url);
const validator = require('gltf-validator');
const report = await validator.validateBytes(new Uint8Array(readFileSync(process.argv[2])), { maxIssues: 20 });
const { numErrors, numWarnings, messages } = report.issues;
console.log(`${numErrors} errors, ${numWarnings} warnings, ${report.info.totalTriangleCount} triangles`);
for (const message of messages) console.log(`${message.code} ${message.pointer}: ${message.message}`);
process.exit(numErrors > 0 ? 1 : 0);
