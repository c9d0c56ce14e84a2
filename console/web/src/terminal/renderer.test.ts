// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// When WebGL is used.
import { describe, expect, it } from 'vitest';
import { probe } from './renderer';

// A canvas whose WebGL has these names; none if it has no WebGL.
function canvas(renderer?: string, unmasked?: string) {
  const lost: string[] = [];
  const context = {
    RENDERER: 1,
    getParameter: (name: number) => (name === 1 ? renderer : unmasked),
    getExtension: (name: string) => {
      if (name === 'WEBGL_lose_context') return { loseContext: () => lost.push(name) };
      return unmasked === undefined ? null : { UNMASKED_RENDERER_WEBGL: 2 };
    },
  };
  return { lost, getContext: () => (renderer === undefined ? null : context) } as unknown as HTMLCanvasElement & {
    lost: string[];
  };
}

describe('WebGL', () => {
  it('is not used where the processor computes it', () => {
    for (const name of [
      'ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero) (0x0000C0DE)), SwiftShader driver)',
      'llvmpipe (LLVM 15.0.6, 256 bits)',
      'ANGLE (Microsoft, Microsoft Basic Render Driver Direct3D11 vs_5_0 ps_5_0, D3D11)',
      'Apple Software Renderer',
    ]) {
      expect(probe(canvas('WebKit WebGL', name)), name).toBe(false);
      expect(probe(canvas(name)), name).toBe(false);
    }
  });
  it('is used with a graphics card, also one that is not named', () => {
    for (const name of ['ANGLE (Intel, Mesa Intel(R) UHD Graphics 620 (KBL GT2), OpenGL 4.6)', 'Apple GPU', 'Mozilla']) {
      const made = canvas('WebKit WebGL', name);
      expect(probe(made), name).toBe(true);
      expect(made.lost.length).toBe(1);
    }
    expect(probe(canvas('Mozilla'))).toBe(true);
  });
  it('is not used where there is none', () => {
    expect(probe(canvas())).toBe(false);
  });
});
