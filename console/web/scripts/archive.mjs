// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Writes a folder as one archive, as gateway/static_files.h describes it. Usage: archive.mjs FOLDER FILE
import fs from 'node:fs';
import path from 'node:path';

const [folder, target] = process.argv.slice(2);
const names = fs
  .readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => path.relative(folder, path.join(entry.parentPath ?? entry.path, entry.name)))
  // The same files give the same archive.
  .sort();

const parts = names.flatMap((name) => {
  const pathBytes = Buffer.from(name, 'utf8');
  const content = fs.readFileSync(path.join(folder, name));
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32LE(pathBytes.length, 0);
  lengths.writeUInt32LE(content.length, 4);
  return [lengths, pathBytes, content];
});
fs.writeFileSync(target, Buffer.concat(parts));
