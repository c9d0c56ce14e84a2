// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Devices beside those of the quickstart, for end-to-end tests that kill them.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { quickstart, rest, stateDir } from './support.mjs';

// Another device of `flow`, which a test may kill.
export async function startAgent(id, flow) {
  const folder = path.join(stateDir, 'devices', id);
  fs.mkdirSync(folder, { recursive: true });
  const keyFile = path.join(folder, 'key');
  if (!fs.existsSync(path.join(folder, 'certificate.pem'))) {
    const request = { type: 'ONE_TIME_BOUND', unitIds: [id] };
    fs.writeFileSync(keyFile, (await rest('POST', '/api/v1/firstAuthenticationKeys', request)).key, { mode: 0o600 });
  }
  const port = flow === 'OS11_DIRECT' ? await freePort() : 0;
  const overIcg = flow.endsWith('_ICG');
  const preference = overIcg ? 'ICG' : 'SERVER';
  await rest('POST', '/api/v1/devices', { unitId: id, connectorPreference: preference }).catch(() => {});
  const args = [
    `--os=${flow.slice(2, 4)}`,
    ...(flow === 'OS11_ICG' ? ['--listen=none'] : []),
    ...(flow === 'OS11_DIRECT' ? [`--listen=127.0.0.1:${port}`] : []),
    `--server=${new URL(overIcg ? quickstart.icg_url : quickstart.url).host}`,
    `--unit_id=${id}`,
    `--state_dir=${folder}`,
    `--key_file=${keyFile}`,
    `--ca_file=${quickstart.ca_file}`,
    `--profiles_file=${path.join(stateDir, 'profiles.textproto')}`,
    `--connector_preference=${preference.toLowerCase()}`,
  ];
  const agent = spawn(path.join(stateDir, 'bin/agent'), args, { stdio: 'ignore' });
  if (port) {
    await accepts(port);
    // It is dialled at once then.
    await rest('PATCH', `/api/v1/devices/${id}`, { address: `localhost:${port}` });
  }
  return agent;
}

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function accepts(port) {
  const end = Date.now() + 20_000;
  for (;;) {
    const connected = await new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (connected) return;
    if (Date.now() > end) throw new Error(`nothing listens on port ${port}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
