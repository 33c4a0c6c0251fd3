// SPDX-License-Identifier: Apache-2.0
// Holds Terraform modules against the google provider's schema without the provider:
//   node check-schema.mjs PACKAGES MODULE…
// PACKAGES holds two unpacked npm packages: provider-google, whose .jsii describes every
// resource and data source, and hcl2json, which parses. Checked: names of types, arguments
// and nested blocks, what is required, what is read-only, block or argument. Not checked:
// values and their types.
import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";
import { createRequire } from "node:module";

const [packages, ...modules] = process.argv.slice(2);
const META = new Set(["for_each", "count", "depends_on", "lifecycle", "provider", "provisioner", "connection"]);

async function hclParser() {
	const dir = path.resolve(packages, "hcl2json");
	createRequire(import.meta.url)(path.join(dir, "wasm/bridge_wasm_exec.js"));
	const go = new globalThis.Go();
	globalThis.__parse_terraform_config_wasm__ = {};
	const wasm = zlib.gunzipSync(fs.readFileSync(path.join(dir, "main.wasm.gz")));
	go.run((await WebAssembly.instantiate(wasm, go.importObject)).instance);
	const bridge = globalThis.__parse_terraform_config_wasm__;
	while (!bridge.parse)
		await new Promise((resolve) => setTimeout(resolve, 1));
	return (file) => new Promise((resolve, reject) =>
		bridge.parse(file, fs.readFileSync(file, "utf8"), (error, json) =>
			error ? reject(new Error(`${file}: ${error}`)) : resolve(JSON.parse(json))));
}

// jsii names things in camelCase; the documentation's anchor has the provider's own name.
const snake = (name) => name.replace(/[A-Z]/g, (c) => "_" + c.toLowerCase());
const ownName = (property) => /#(\w+) \S+\}/.exec(property.docs?.remarks ?? "")?.[1] ?? snake(property.name);

class Schema {
	constructor(file) {
		this.types = JSON.parse(fs.readFileSync(file)).types;
		this.known = { resource: {}, data: {} };
		for (const type of Object.values(this.types)) {
			const found = /\/docs\/(resources|data-sources)\/\S+ (google_\w+)\}/.exec(type.docs?.summary ?? "");
			const config = type.initializer?.parameters.find((p) => p.name === "config");
			if (!found || !config)
				continue;
			const args = this.block(config.type.fqn);
			const readOnly = type.properties.filter((p) => !p.static).map((p) => snake(p.name));
			this.known[found[1] === "resources" ? "resource" : "data"][found[2]] =
				{ args, readOnly: new Set(readOnly) };
		}
	}

	// Arguments of a block: name => {required, block: type of a nested one}
	block(fqn) {
		return Object.fromEntries((this.types[fqn].properties ?? []).map((property) => {
			const nested = JSON.stringify(property.type).match(/@cdktf\/provider-google\.[\w.]+/);
			return [ownName(property), {
				required: !property.optional,
				block: nested && this.types[nested[0]] ? nested[0] : null,
			}];
		}));
	}
}

let names = 0;
const problems = [];

function checkBody(schema, at, args, body, readOnly) {
	const { dynamic = {}, ...plain } = body;
	const given = new Set();
	const visit = (name, contents) => {
		names++;
		given.add(name);
		if (!args[name]) {
			problems.push(`${at}: ${name} is ${readOnly.has(name) ? "read-only" : "unknown"}`);
			return;
		}
		for (const content of args[name].block ? contents : [])
			checkBody(schema, `${at}.${name}`, schema.block(args[name].block), content, new Set());
	};
	for (const [name, value] of Object.entries(plain)) {
		const isBlock = Array.isArray(value) && value.every((v) => v !== null && typeof v === "object");
		if (args[name] && isBlock && value.length && !args[name].block)
			problems.push(`${at}: ${name} is an argument, not a block`);
		if (args[name]?.block && !isBlock && typeof value === "object")
			problems.push(`${at}: ${name} is a block, not an argument`);
		visit(name, isBlock ? value : []);
	}
	for (const [name, blocks] of Object.entries(dynamic))
		visit(name, blocks.flatMap((block) => block.content ?? []));
	for (const name of Object.keys(args))
		if (args[name].required && !given.has(name))
			problems.push(`${at}: ${name} is missing`);
}

function checkFile(schema, file, parsed) {
	let blocks = 0;
	for (const kind of ["resource", "data"])
		for (const [type, instances] of Object.entries(parsed[kind] ?? {})) {
			if (!type.startsWith("google_"))
				continue;
			for (const [name, bodies] of Object.entries(instances)) {
				const at = `${file}: ${kind === "data" ? "data." : ""}${type}.${name}`;
				const found = schema.known[kind][type];
				blocks++;
				if (!found) {
					problems.push(`${at}: no such ${kind === "data" ? "data source" : "resource"}`);
					continue;
				}
				for (const body of bodies) {
					const own = Object.fromEntries(Object.entries(body).filter(([key]) => !META.has(key)));
					checkBody(schema, at, found.args, own, found.readOnly);
				}
			}
		}
	return blocks;
}

const parse = await hclParser();
const schema = new Schema(path.join(packages, "provider-google", ".jsii"));
let blocks = 0;
for (const dir of modules)
	for (const name of fs.readdirSync(dir).filter((n) => n.endsWith(".tf")).sort()) {
		const file = path.join(dir, name);
		blocks += checkFile(schema, file, await parse(file));
	}
for (const problem of problems)
	console.log(problem);
console.log(`checked ${blocks} resources and data sources, ${names} names; known: ` +
	`${Object.keys(schema.known.resource).length} resources, ${Object.keys(schema.known.data).length} data sources`);
process.exit(problems.length ? 1 : 0);
