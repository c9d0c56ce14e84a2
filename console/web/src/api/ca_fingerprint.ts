// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// The fingerprint of the CA by which a device knows the server: from what the server offers devices
// before they enrol (EST's cacerts, RFC 7030: a certs-only PKCS #7).

export const CA_PATH = '/device-connector/device/.well-known/est/cacerts';

interface Element {
  tag: number;
  // Where the element begins, where its content does, and where both end.
  start: number;
  content: number;
  end: number;
}

function elementAt(bytes: Uint8Array, start: number): Element {
  const tag = bytes[start]!;
  let length = bytes[start + 1]!;
  let content = start + 2;
  if (length >= 0x80) {
    const digits = length - 0x80;
    length = 0;
    for (let i = 0; i < digits; ++i) length = length * 256 + bytes[content++]!;
  }
  const end = content + length;
  if (!(end <= bytes.length)) throw new Error('not a PKCS #7 of certificates');
  return { tag, start, content, end };
}

function childrenOf(bytes: Uint8Array, { content, end }: Element): Element[] {
  const children: Element[] = [];
  for (let at = content; at < end; at = children[children.length - 1]!.end) {
    children.push(elementAt(bytes, at));
  }
  return children;
}

const CONTEXT_0 = 0xa0;

// The first certificate, DER.
export function firstCertificate(pkcs7: Uint8Array): Uint8Array {
  let at = elementAt(pkcs7, 0);
  // ContentInfo's content, SignedData, its certificates, the first of them.
  const steps = [
    (all: Element[]) => all.find(({ tag }) => tag === CONTEXT_0),
    (all: Element[]) => all[0],
    (all: Element[]) => all.find(({ tag }) => tag === CONTEXT_0),
    (all: Element[]) => all[0],
  ];
  for (const step of steps) {
    const found = step(childrenOf(pkcs7, at));
    if (!found) throw new Error('not a PKCS #7 of certificates');
    at = found;
  }
  return pkcs7.slice(at.start, at.end);
}

// SHA-256 as the agent's --server_fingerprint takes it.
export async function caFingerprint(base64: string): Promise<string> {
  const pkcs7 = Uint8Array.from(atob(base64.replace(/\s/g, '')), (letter) => letter.charCodeAt(0));
  const hash = await crypto.subtle.digest('SHA-256', firstCertificate(pkcs7) as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
