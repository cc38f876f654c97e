// Runs SQL statements with DuckDB and prints the rows of the last one, a line each, cells separated by blanks. For tests and benchmarks only; exits with
// 77 where the package is absent: npm install --prefix build --no-save @duckdb/node-api
// usage: node tests/duckdb.mjs [--seconds] STATEMENT...     --seconds: the processor time of the last one stands before its first row
// SPDX-License-Identifier: Apache-2.0
import { createRequire } from 'node:module';
import { execSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'build', 'x.js');

function load(name) {
    try {
        return createRequire(root)(name);
    } catch {
        try {
            return createRequire(path.join(execSync('npm root -g', { encoding: 'utf8' }).trim(), '..', 'x.js'))(name);
        } catch {
            console.error(`${name} is not installed: npm install --prefix build --no-save ${name}`);
            process.exit(77);
        }
    }
}

const { DuckDBInstance } = load('@duckdb/node-api');
const connection = await (await DuckDBInstance.create(':memory:')).connect();
const timed = process.argv[2] === '--seconds';
let reader, began;
for (const statement of process.argv.slice(timed ? 3 : 2)) {
    began = process.cpuUsage();
    reader = await connection.runAndReadAll(statement);
}
const took = process.cpuUsage(began);
if (timed) process.stdout.write(`${(took.user + took.system) / 1e6} `);
for (const row of reader.getRows()) console.log(row.map(String).join(' '));
