// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
import { webcrypto } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { caFingerprint, firstCertificate } from './ca_fingerprint';

// Browsers have it as a global; Debian 12's Node 18 has not.
globalThis.crypto ??= webcrypto as Crypto;

// What a server answered, and what `openssl x509 -fingerprint -sha256` said of its CA.
const CACERTS =
  'MIIBrgYJKoZIhvcNAQcCoIIBnzCCAZsCAQExADALBgkqhkiG9w0BBwGgggGDMIIB' +
  'fzCCASSgAwIBAgIQTE1NkubOw1jNiUs0zjE/8zAKBggqhkjOPQQDAjAfMR0wGwYD' +
  'VQQDDBRGYWlybGVhZCBDQSAyNzUyZmI4NjAeFw0yNjExMjIxNjA2MjNaFw00NjEx' +
  'MjIxNzA2MjNaMB8xHTAbBgNVBAMMFEZhaXJsZWFkIENBIDI3NTJmYjg2MFkwEwYH' +
  'KoZIzj0CAQYIKoZIzj0DAQcDQgAEBwXsB2lbrIIr23kCApWhh/tbi0ip6yk2j4km' +
  'F6l1pIaY59CqrHMNTkpsyGbHxMEEEmd+mlKG5yB10d1JS71BC6NCMEAwDwYDVR0T' +
  'AQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMCAQYwHQYDVR0OBBYEFNDO8AclmfZtCxC1' +
  'XCDGcsb4OtnSMAoGCCqGSM49BAMCA0kAMEYCIQDs74vuzudNin2Zei4FmEyA+bmD' +
  'B5wIJ76Ngjo5i8FbigIhAIvEMabLrSLZ2x5dAamcfs+UM9mjA7JDGQ3l1RSFBkuy' +
  'MQA=' +
  '\r\n';
const FINGERPRINT = '23ea3c02f32cfd0c0d2eaf59c62089b17b7291116025b025acccdfd63a8e4e21';

describe('the fingerprint of the CA', () => {
  it('is that of the certificate in the answer', async () => {
    expect(await caFingerprint(CACERTS)).toBe(FINGERPRINT);
  });

  it('is not made of what is no such answer', async () => {
    await expect(caFingerprint('AAAA')).rejects.toThrow();
    for (const bytes of [[], [0x30], [0x30, 0x80], [0x30, 0x02, 0xa0, 0x00], [0x30, 0x84, 255, 255, 255, 255]]) {
      expect(() => firstCertificate(new Uint8Array(bytes))).toThrow('not a PKCS #7');
    }
  });
});
