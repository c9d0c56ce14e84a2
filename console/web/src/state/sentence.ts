// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// What a server or a device says, for the person. Pure.

// `text` as a sentence that stands alone. Names keep their letters: "devices/x: …" is not "Devices/x".
export function sentence(text: string): string {
  const trimmed = text.trim();
  const begun = /^\p{Ll}+(?=[ ,;]|$)/u.test(trimmed) ? trimmed[0]!.toUpperCase() + trimmed.slice(1) : trimmed;
  return begun === '' || /[.!?…:]$/.test(begun) ? begun : `${begun}.`;
}
