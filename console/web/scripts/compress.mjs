// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Puts "x.br" and "x.gz" beside each text file "x" of the built console, and prints how large the
// first load is. Usage: compress.mjs FOLDER
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';

const folder = process.argv[2];
const files = fs
  .readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.(html|js|css|svg|json|webmanifest)$/.test(entry.name))
  .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));

const compressed = new Map();
for (const file of files) {
  const content = fs.readFileSync(file);
  const br = zlib.brotliCompressSync(content, {
    params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11 },
  });
  const gz = zlib.gzipSync(content, { level: 9 });
  if (br.length < content.length) fs.writeFileSync(`${file}.br`, br);
  if (gz.length < content.length) fs.writeFileSync(`${file}.gz`, gz);
  compressed.set(path.relative(folder, file), { size: content.length, br: br.length, gz: gz.length });
}

// What index.html names is loaded first; the rest when it is needed.
const index = fs.readFileSync(path.join(folder, 'index.html'), 'utf8');
const first = { size: 0, br: 0, gz: 0 };
for (const [file, sizes] of compressed) {
  const isFirst = file === 'index.html' || index.includes(file);
  console.log(
    `${String(sizes.size).padStart(8)} ${String(sizes.br).padStart(8)} br ${String(sizes.gz).padStart(8)} gz  ` +
      `${isFirst ? 'first ' : 'later '} ${file}`,
  );
  if (!isFirst) continue;
  for (const key of Object.keys(first)) first[key] += sizes[key];
}
console.log(`first load: ${first.size} bytes, ${first.br} with brotli, ${first.gz} with gzip`);
