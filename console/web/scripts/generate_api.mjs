// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Writes src/api/generated.ts from the protos: a type for each message in its JSON form, and a table
// of the methods with their HTTP rules. Run before every build, check and test.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const web = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const repository = path.resolve(web, '../..');
const files = ['auth', 'device', 'session', 'enrollment', 'icg', 'audit', 'terminal', 'error'];

const root = new protobuf.Root();
root.resolvePath = (_origin, target) =>
  target.startsWith('google/protobuf/descriptor')
    ? path.join(web, 'node_modules/protobufjs', target)
    : path.join(repository, target);
await root.load(files.map((name) => `proto/${name}.proto`), {
  keepCase: false,
  alternateCommentMode: true,
});
root.resolveAll();

const scalars = { bool: 'boolean', string: 'string', bytes: 'string', double: 'number' };
const wellKnown = {
  '.google.protobuf.Timestamp': 'string',
  '.google.protobuf.Duration': 'string',
  '.google.protobuf.Any': 'Record<string, unknown>',
};

// A nested type is named Outer_Inner.
function nameOf(type) {
  const names = [];
  for (let at = type; at instanceof protobuf.Type || at instanceof protobuf.Enum; at = at.parent) {
    names.unshift(at.name);
  }
  return names.join('_');
}

function typeOf(field) {
  if (field.resolvedType) {
    return wellKnown[field.resolvedType.fullName] ?? nameOf(field.resolvedType);
  }
  if (field.type in scalars) return scalars[field.type];
  // 64-bit numbers are strings in JSON.
  return /64$/.test(field.type) ? 'string' : 'number';
}

function comment(text, indent = '') {
  if (!text) return '';
  return text.split('\n').map((line) => `${indent}// ${line}`.trimEnd() + '\n').join('');
}

function isOptional(field) {
  const isMessage = field.resolvedType instanceof protobuf.Type;
  return !field.repeated && (isMessage || field.partOf || field.options?.proto3_optional);
}

const out = [
  '// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0\n' +
    '//\n// Generated from the protos by scripts/generate_api.mjs.\n',
];

function writeEnum(type) {
  const values = Object.keys(type.values).map((value) => `'${value}'`).join(' | ');
  out.push(`${comment(type.comment)}export type ${nameOf(type)} = ${values};\n`);
}

function writeMessage(type) {
  const lines = type.fieldsArray.map((field) => {
    const mark = isOptional(field) ? '?' : '';
    const list = field.repeated ? '[]' : '';
    return `${comment(field.comment, '  ')}  ${field.name}${mark}: ${typeOf(field)}${list};\n`;
  });
  out.push(`${comment(type.comment)}export interface ${nameOf(type)} {\n${lines.join('')}}\n`);
  type.nestedArray.forEach(write);
}

const methods = [];

function writeService(service) {
  for (const method of service.methodsArray) {
    method.resolve();
    const rule = (method.parsedOptions ?? []).map((option) => option['(http)']).find(Boolean);
    if (!rule) continue;
    const verb = ['get', 'post', 'patch', 'delete', 'put'].find((name) => rule[name]);
    const name = method.name[0].toLowerCase() + method.name.slice(1);
    const types = `${nameOf(method.resolvedRequestType)}, ${nameOf(method.resolvedResponseType)}`;
    // Field names in the rules are those of the protos.
    const camel = (text) => text.replace(/_([a-z])/g, (_all, letter) => letter.toUpperCase());
    const value = `{ verb: '${verb.toUpperCase()}', path: '${camel(rule[verb])}', body: '${camel(rule.body ?? '')}' }`;
    methods.push(`${comment(method.comment, '  ')}  ${name}: ${value} as Method<${types}>,\n`);
  }
}

function write(type) {
  if (type instanceof protobuf.Enum) writeEnum(type);
  else if (type instanceof protobuf.Type) writeMessage(type);
  else if (type instanceof protobuf.Service) writeService(type);
}

root.lookup('fairlead.v1').nestedArray.forEach(write);
out.push(`// A method's HTTP rule; the types say what goes in and comes out.
export interface Method<Request, Response> {
  verb: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT';
  path: string;
  // Which field is the body; '*' for all that is not in the path, '' for none.
  body: string;
  request?: Request;
  response?: Response;
}
`);
out.push(`export const methods = {\n${methods.join('')}};\n`);
fs.writeFileSync(path.join(web, 'src/api/generated.ts'), out.join('\n'));
